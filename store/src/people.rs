//! People and their chats.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use fitter_domain::Locale;
use fitter_domain::ids::{BotId, ChatId, PersonId, UserId};
use fitter_domain::person::{Person, Role};
use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row};

use crate::sql::{named, sql};

sql! {
    INSERT = "
        INSERT INTO people (user_id, name, role, locale, created_at)
        SELECT user_id, name, 'client', locale, $4 FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n(user_id, name, locale)
        ORDER BY user_id ON CONFLICT (user_id) DO NOTHING
    ";
    // A group is nobody's address. The time never goes back, as updates of several chats may be worked on out of order.
    // Most messages come from the chat that was used last, not long ago: they change nothing.
    SEEN = "
        INSERT INTO chats AS c (bot, chat, person, blocked, last_seen)
        SELECT n.bot, n.chat, n.person, false, $4::timestamptz FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n(bot, chat, person)
        WHERE NOT EXISTS (
            SELECT FROM chats k WHERE k.bot = n.bot AND k.chat = n.chat AND k.person IS NOT DISTINCT FROM n.person AND NOT k.blocked
                AND k.last_seen > $4::timestamptz - interval '1 minute'
                AND NOT EXISTS (
                    SELECT FROM chats o WHERE o.person = n.person AND o.last_seen >= k.last_seen AND (o.bot, o.chat) <> (k.bot, k.chat)
                )
        )
        ORDER BY n.bot, n.chat
        ON CONFLICT (bot, chat) DO UPDATE SET person = excluded.person, blocked = false, last_seen = greatest(c.last_seen, excluded.last_seen)
    ";
    GET_MANY = "SELECT id, user_id, name, role, locale, onboarded, removed FROM people WHERE id = ANY ($1::bigint[])";
    BY_USERS = "SELECT id, user_id, name, role, locale, onboarded, removed FROM people WHERE user_id = ANY ($1::bigint[])";
    GET = "SELECT id, user_id, name, role, locale, onboarded, removed FROM people WHERE id = $1";
    BY_USER = "SELECT id, user_id, name, role, locale, onboarded, removed FROM people WHERE user_id = $1";
    AT_LEAST = "SELECT id, user_id, name, role, locale, onboarded, removed FROM people WHERE role = ANY ($1::text[]) AND NOT removed ORDER BY id";
    // The index of those who are not clients serves only who says that clients are not meant.
    STAFF_AT_LEAST = "
        SELECT id, user_id, name, role, locale, onboarded, removed FROM people
        WHERE role = ANY ($1::text[]) AND role <> 'client' AND NOT removed ORDER BY id
    ";
    LIST = "SELECT id, user_id, name, role, locale, onboarded, removed FROM people ORDER BY id";
    SET_LOCALE = "UPDATE people SET locale = $2 WHERE id = $1";
    ONBOARD = "UPDATE people SET name = $2, onboarded = true WHERE id = $1";
    SET_ROLE = "UPDATE people SET role = $2 WHERE id = $1";
    SET_REMOVED = "UPDATE people SET removed = $2 WHERE id = $1";
    ADDRESS = "SELECT bot, chat FROM chats WHERE person = $1 AND NOT blocked ORDER BY last_seen DESC, bot LIMIT 1";
    CHATS = "SELECT bot, chat FROM chats WHERE person = $1 AND NOT blocked ORDER BY bot, chat";
    SET_BLOCKED = "UPDATE chats SET blocked = $3 WHERE bot = $1 AND chat = $2";
    MIGRATE_CHAT = "
        INSERT INTO chats (bot, chat, person, blocked, last_seen)
        SELECT bot, $3, person, blocked, last_seen FROM chats WHERE bot = $1 AND chat = $2
        ON CONFLICT (bot, chat) DO NOTHING
    ";
    MIGRATE_DIALOGUES = "
        INSERT INTO dialogues (bot, chat, thread, version, state, rev)
        SELECT bot, $3, thread, version, state, rev FROM dialogues WHERE bot = $1 AND chat = $2
        ON CONFLICT (bot, chat, thread) DO NOTHING
    ";
    FORGET_DIALOGUES = "DELETE FROM dialogues WHERE bot = $1 AND chat = $2";
    // Messages of the old chat cannot be edited or replied to any more.
    FORGET_SLOTS = "DELETE FROM message_slots WHERE bot = $1 AND chat = $2";
    FORGET_CHAT = "DELETE FROM chats WHERE bot = $1 AND chat = $2";
}

/// Somebody who wrote, as Telegram describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// To which bot.
    pub bot: BotId,
    /// In which chat.
    pub chat: ChatId,
    /// Who.
    pub user: UserId,
    /// Their first name in Telegram; the name of a person seen for the first time.
    pub first_name: &'a str,
    /// The language of their client; the language of a person seen for the first time, if the bot speaks it.
    pub language: Option<&'a str>,
}

/// The person who wrote, made on first sight as a client who is not onboarded. Their chat is theirs and not blocked from now on.
///
/// # Errors
/// If the database refuses.
pub async fn seen(conn: &mut PgConnection, seen: &Seen<'_>, now: DateTime<Utc>) -> Result<Person, Error> {
    seen_many(conn, std::slice::from_ref(seen), now).await?.pop().ok_or(Error::RowNotFound)
}

/// [`seen`] for several who wrote, no chat named twice; the people in their order.
///
/// # Errors
/// If the database refuses.
pub async fn seen_many(conn: &mut PgConnection, all: &[Seen<'_>], now: DateTime<Utc>) -> Result<Vec<Person>, Error> {
    let users: Vec<i64> = all.iter().map(|seen| seen.user.0).collect();
    let mut known = by_users(conn, &users).await?;
    let new: BTreeMap<i64, &Seen<'_>> = all.iter().filter(|seen| !known.contains_key(&seen.user)).map(|seen| (seen.user.0, seen)).collect();
    if !new.is_empty() {
        let names: Vec<&str> = new.values().map(|seen| seen.first_name).collect();
        let locale = |seen: &&Seen<'_>| seen.language.and_then(Locale::from_tag).unwrap_or_default().code();
        let locales: Vec<&str> = new.values().map(locale).collect();
        sqlx::query(INSERT).bind(new.keys().copied().collect::<Vec<_>>()).bind(names).bind(locales).bind(now).execute(&mut *conn).await?;
        known = by_users(conn, &users).await?;
    }
    let people: Vec<Person> = all.iter().map(|seen| known.get(&seen.user).cloned().ok_or(Error::RowNotFound)).collect::<Result<_, _>>()?;
    let bots: Vec<i64> = all.iter().map(|seen| seen.bot.0).collect();
    let chats: Vec<i64> = all.iter().map(|seen| seen.chat.0).collect();
    let owners: Vec<Option<i64>> = all.iter().zip(&people).map(|(seen, person)| (seen.chat.0 > 0).then_some(person.id.0)).collect();
    sqlx::query(SEEN).bind(bots).bind(chats).bind(owners).bind(now).execute(conn).await?;
    Ok(people)
}

async fn by_users(conn: &mut PgConnection, users: &[i64]) -> Result<HashMap<UserId, Person>, Error> {
    let rows = sqlx::query(BY_USERS).bind(users).fetch_all(conn).await?;
    rows.iter().map(|row| person(row).map(|person| (person.user, person))).collect()
}

/// Several people; those who do not exist are not among them.
///
/// # Errors
/// If the database refuses.
pub async fn get_many(conn: &mut PgConnection, ids: &[PersonId]) -> Result<HashMap<PersonId, Person>, Error> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query(GET_MANY).bind(ids).fetch_all(conn).await?;
    rows.iter().map(|row| person(row).map(|person| (person.id, person))).collect()
}

/// One person.
///
/// # Errors
/// If the database refuses.
pub async fn get(conn: &mut PgConnection, id: PersonId) -> Result<Option<Person>, Error> {
    sqlx::query(GET).bind(id.0).fetch_optional(conn).await?.as_ref().map(person).transpose()
}

/// The person of a Telegram account.
///
/// # Errors
/// If the database refuses.
pub async fn by_user(conn: &mut PgConnection, user: UserId) -> Result<Option<Person>, Error> {
    sqlx::query(BY_USER).bind(user.0).fetch_optional(conn).await?.as_ref().map(person).transpose()
}

/// People of this role or a higher one whose access was not taken away.
///
/// # Errors
/// If the database refuses.
pub async fn at_least(conn: &mut PgConnection, role: Role) -> Result<Vec<Person>, Error> {
    let roles: Vec<&str> = Role::ALL.into_iter().filter(|&other| other >= role).map(Role::name).collect();
    let statement = if role == Role::Client { AT_LEAST } else { STAFF_AT_LEAST };
    sqlx::query(statement).bind(roles).fetch_all(conn).await?.iter().map(person).collect()
}

/// Everybody, also those who were removed.
///
/// # Errors
/// If the database refuses.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Person>, Error> {
    sqlx::query(LIST).fetch_all(conn).await?.iter().map(person).collect()
}

/// Sets their language.
///
/// # Errors
/// If the database refuses.
pub async fn set_locale(conn: &mut PgConnection, id: PersonId, locale: Locale) -> Result<(), Error> {
    sqlx::query(SET_LOCALE).bind(id.0).bind(locale.code()).execute(conn).await.map(drop)
}

/// Ends onboarding with this name.
///
/// # Errors
/// If the database refuses.
pub async fn onboard(conn: &mut PgConnection, id: PersonId, name: &str) -> Result<(), Error> {
    sqlx::query(ONBOARD).bind(id.0).bind(name).execute(conn).await.map(drop)
}

/// Sets their role.
///
/// # Errors
/// If the database refuses.
pub async fn set_role(conn: &mut PgConnection, id: PersonId, role: Role) -> Result<(), Error> {
    sqlx::query(SET_ROLE).bind(id.0).bind(role.name()).execute(conn).await.map(drop)
}

/// Takes their access away or gives it back.
///
/// # Errors
/// If the database refuses.
pub async fn set_removed(conn: &mut PgConnection, id: PersonId, removed: bool) -> Result<(), Error> {
    sqlx::query(SET_REMOVED).bind(id.0).bind(removed).execute(conn).await.map(drop)
}

/// Where to reach them: the private chat they used last, of those in which they have not blocked the bot.
///
/// # Errors
/// If the database refuses.
pub async fn address(conn: &mut PgConnection, id: PersonId) -> Result<Option<(BotId, ChatId)>, Error> {
    let row = sqlx::query(ADDRESS).bind(id.0).fetch_optional(conn).await?;
    row.map(|row| Ok((BotId(row.try_get("bot")?), ChatId(row.try_get("chat")?)))).transpose()
}

/// All chats in which they have not blocked the bot.
///
/// # Errors
/// If the database refuses.
pub async fn chats(conn: &mut PgConnection, id: PersonId) -> Result<Vec<(BotId, ChatId)>, Error> {
    let rows = sqlx::query(CHATS).bind(id.0).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((BotId(row.try_get("bot")?), ChatId(row.try_get("chat")?)))).collect()
}

/// Remembers that messages do not reach a chat, or reach it again. A chat never seen is none.
///
/// # Errors
/// If the database refuses.
pub async fn set_blocked(conn: &mut PgConnection, bot: BotId, chat: ChatId, blocked: bool) -> Result<(), Error> {
    sqlx::query(SET_BLOCKED).bind(bot.0).bind(chat.0).bind(blocked).execute(conn).await.map(drop)
}

/// A group became a supergroup and has another number now: its dialogues go with it. Run it in a transaction.
///
/// # Errors
/// If the database refuses.
pub async fn migrate_chat(conn: &mut PgConnection, bot: BotId, old: ChatId, new: ChatId) -> Result<(), Error> {
    for copy in [MIGRATE_CHAT, MIGRATE_DIALOGUES] {
        sqlx::query(copy).bind(bot.0).bind(old.0).bind(new.0).execute(&mut *conn).await?;
    }
    for forget in [FORGET_DIALOGUES, FORGET_SLOTS, FORGET_CHAT] {
        sqlx::query(forget).bind(bot.0).bind(old.0).execute(&mut *conn).await?;
    }
    Ok(())
}

fn person(row: &PgRow) -> Result<Person, Error> {
    Ok(Person {
        id: PersonId(row.try_get("id")?),
        user: UserId(row.try_get("user_id")?),
        name: row.try_get("name")?,
        role: named(row, "role", |name| name.parse::<Role>().ok())?,
        locale: named(row, "locale", Locale::from_tag)?,
        onboarded: row.try_get("onboarded")?,
        removed: row.try_get("removed")?,
    })
}
