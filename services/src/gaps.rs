//! What the notes do not answer: searches that were no help, those that mean the same taken together.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use fitter_domain::ids::{PersonId, QueryId};
use fitter_domain::ticket::Gap;
use fitter_retrieval::gaps as meaning;
use fitter_store::PgConnection;
use fitter_store::gaps::{self as stored, Gap as Search};

use crate::app::App;
use crate::error::ServiceError;

/// So many searches are taken together at a time; older ones come when these are closed.
const COMPARED: u32 = 500;

/// Searches that mean the same; never empty.
pub(crate) type Group = Vec<Search>;

impl App {
    /// Open searches that were no help, those that mean the same together.
    ///
    /// # Errors
    /// If the database refuses.
    pub(crate) async fn gap_groups(&self, conn: &mut PgConnection) -> Result<Vec<Group>, ServiceError> {
        let open = stored::open(conn, COMPARED).await?;
        let questions: Vec<_> = open.iter().map(|search| self.search.question(&search.text)).collect();
        let groups = meaning::group(&questions);
        Ok(groups.into_iter().map(|group| group.into_iter().filter_map(|place| open.get(place).cloned()).collect()).collect())
    }

    /// The searches that mean the same as this one, itself among them.
    ///
    /// # Errors
    /// If the database refuses.
    pub(crate) async fn gap_group(&self, conn: &mut PgConnection, query: QueryId) -> Result<Option<Group>, ServiceError> {
        let groups = self.gap_groups(conn).await?;
        Ok(groups.into_iter().find(|group| group.iter().any(|search| search.query == query)))
    }
}

/// A group as the editors see it.
pub(crate) fn gap(group: &[Search]) -> Option<Gap> {
    let first = group.first()?;
    let mut times: BTreeMap<PersonId, (&str, u32)> = BTreeMap::new();
    let mut examples: Vec<String> = Vec::new();
    for search in group {
        times.entry(search.person).or_insert((&search.name, 0)).1 += 1;
        if search.text != first.text && !examples.contains(&search.text) {
            examples.push(search.text.clone());
        }
    }
    let mut askers: Vec<(String, u32)> = times.into_values().map(|(name, times)| (name.to_owned(), times)).collect();
    askers.sort_by_key(|(_, times)| Reverse(*times));
    Some(Gap { query: first.query, text: first.text.clone(), count: u32::try_from(group.len()).unwrap_or(u32::MAX), examples, askers })
}

/// Those of a group who are not `told` yet, each once, with their words.
pub(crate) fn others(group: &[Search], told: PersonId) -> Vec<(PersonId, String)> {
    let mut out: Vec<(PersonId, String)> = Vec::new();
    for search in group {
        if search.person != told && !out.iter().any(|(person, _)| *person == search.person) {
            out.push((search.person, search.text.clone()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(query: i64, person: i64, text: &str) -> Search {
        Search { query: QueryId(query), person: PersonId(person), name: format!("П{person}"), text: text.into() }
    }

    #[test]
    fn a_group_tells_who_asked_how_often_and_in_which_words() {
        let group = [search(3, 1, "где ключ"), search(4, 2, "ключ где"), search(5, 2, "ключ где"), search(6, 2, "где ключ")];
        let gap = gap(&group).unwrap();
        assert_eq!((gap.query, gap.count), (QueryId(3), 4));
        assert_eq!(gap.examples, ["ключ где"]);
        assert_eq!(gap.askers, [("П2".to_owned(), 3), ("П1".to_owned(), 1)]);
        assert_eq!(others(&group, PersonId(1)), [(PersonId(2), "ключ где".to_owned())]);
    }
}
