//! The example vault that people see first.

use std::path::Path;

use fitter_retrieval::local::search_vault;
use fitter_retrieval::meta::Kind;
use fitter_retrieval::problem::Severity;

#[test]
fn imports_without_a_problem() {
    let search = search_vault(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/vault"))).unwrap();
    let problems: Vec<_> =
        search.import.problems.iter().filter(|problem| problem.severity > Severity::Info).map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    for note in search.notes().values().filter(|note| note.meta.kind == Kind::Procedure) {
        assert!(note.procedure.is_some(), "{}", note.path);
    }
}
