//! Typed identifiers: numbers given by the database, so that people can say them aloud ("работа 17").

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$name> for crate::msg::Arg {
            /// As text: an identifier is not a quantity.
            fn from(id: $name) -> Self {
                Self::Text(id.0.to_string())
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                s.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A bot: the numeric part of its token.
    BotId,
    /// A Telegram chat; negative for groups.
    ChatId,
    /// A person known to the company.
    PersonId,
    /// A Telegram account.
    UserId,
    /// A vehicle.
    VehicleId,
    /// A job (repair card).
    JobId,
    /// One walk through a procedure.
    RunId,
    /// A reported fault.
    FaultId,
    /// A question put to a human.
    QuestionId,
    /// A search that was made, so that its hits can be opened later.
    QueryId,
    /// A stored version of a procedure.
    ProcedureId,
    /// A passage of a note.
    ChunkId,
}
