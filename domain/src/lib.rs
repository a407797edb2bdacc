//! Types and rules of Fitter: no I/O, no clock of its own, no words for people.
//!
//! | module | what |
//! | --- | --- |
//! | [`ids`] | typed identifiers |
//! | [`clock`] | time as an argument |
//! | [`locale`] | the languages people write in |
//! | [`msg`] | typed message keys, generated from `prompts/messages` |
//! | [`rich`] | text as a tree, flattened to text and entities |
//! | [`screen`] | what a person sees: text, media, buttons |
//! | [`person`] | people, roles, and [`person::may`] |
//! | [`vehicle`] | number plates and VINs, checked and normalised |
//! | [`job`] | the repair card and its states |
//! | [`procedure`] | a note that can be walked through |
//! | [`run`] | one walk through a procedure: answers, times, changes |
//! | [`outbound`] | what goes out to a chat |
//! | [`ticket`] | faults and questions to a human |
//! | [`passage`] | what search returns |
//! | [`vault`] | how the notes are kept |
//! | [`written`] | what a language model made of it |
//! | [`words`] | what people type, and names |

pub mod clock;
pub mod ids;
pub mod job;
pub mod locale;
pub mod msg;
pub mod outbound;
pub mod passage;
pub mod person;
pub mod procedure;
pub mod rich;
pub mod run;
pub mod screen;
pub mod ticket;
pub mod vault;
pub mod vehicle;
pub mod words;
pub mod written;

pub use clock::Clock;
pub use locale::Locale;
pub use msg::Msg;
