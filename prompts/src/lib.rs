//! The words of the bot: Fluent messages of `messages/<locale>/*.ftl`, rendered strictly.
//!
//! `fitter-domain` makes one typed function per message at build time, so a key or argument that does not exist does not compile; this crate
//! turns a typed message into text. [`llm`] holds what language models are told.

use std::collections::BTreeMap;

use fitter_domain::msg::Arg;
use fitter_domain::{Locale, Msg};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use include_dir::{Dir, include_dir};

pub mod llm;

static MESSAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/messages");

/// The message files are broken; a test renders them all, so this does not leave the building.
#[derive(Debug, thiserror::Error)]
pub enum PromptsError {
    /// A file is not Fluent, or not UTF-8.
    #[error("prompts/messages/{0}: {1}")]
    File(String, String),
    /// A locale has no folder.
    #[error("prompts/messages/{0} is missing")]
    Locale(&'static str),
    /// A language model has no rules for a purpose.
    #[error("prompts/llm/{0} has no v<number>.md")]
    Rules(&'static str),
}

/// Every message in every language.
pub struct Messages {
    bundles: BTreeMap<Locale, FluentBundle<FluentResource>>,
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Messages").field("locales", &self.bundles.keys()).finish()
    }
}

impl Messages {
    /// Reads the messages that are compiled into the program.
    ///
    /// # Errors
    /// [`PromptsError`] naming the file.
    pub fn load() -> Result<Self, PromptsError> {
        let bundles = Locale::ALL.into_iter().map(|locale| Ok((locale, bundle(locale)?))).collect::<Result<_, _>>()?;
        Ok(Self { bundles })
    }

    /// The text of a message.
    ///
    /// A message that is missing or incomplete, which the build rules out, gives its key: better than silence.
    #[must_use]
    pub fn say(&self, locale: Locale, msg: &Msg) -> String {
        self.try_say(locale, msg).unwrap_or_else(|| msg.key.clone().into_owned())
    }

    /// The text of a message, or `None` if it is missing or an argument is.
    #[must_use]
    pub fn try_say(&self, locale: Locale, msg: &Msg) -> Option<String> {
        let bundle = self.bundles.get(&locale)?;
        let pattern = bundle.get_message(&msg.key)?.value()?;
        let args: FluentArgs<'_> = msg
            .args
            .iter()
            .map(|(name, arg)| {
                let value = match arg {
                    Arg::Number(number) => FluentValue::from(*number),
                    Arg::Text(text) => FluentValue::from(text.as_str()),
                };
                (name.as_ref(), value)
            })
            .collect();
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        errors.is_empty().then_some(text)
    }
}

fn bundle(locale: Locale) -> Result<FluentBundle<FluentResource>, PromptsError> {
    let langid = locale.code().parse().map_err(|_| PromptsError::Locale(locale.code()))?;
    let mut bundle = FluentBundle::new_concurrent(vec![langid]);
    // Telegram shows the isolation marks of Fluent as boxes on some phones, and arguments here never mix directions.
    bundle.set_use_isolating(false);
    let folder = MESSAGES.get_dir(locale.code()).ok_or(PromptsError::Locale(locale.code()))?;
    for file in folder.files() {
        let name = file.path().display().to_string();
        let source = file.contents_utf8().ok_or_else(|| PromptsError::File(name.clone(), "not UTF-8".into()))?;
        let resource =
            FluentResource::try_new(source.to_owned()).map_err(|(_, errors)| PromptsError::File(name.clone(), format!("{errors:?}")))?;
        bundle.add_resource(resource).map_err(|errors| PromptsError::File(name, format!("{errors:?}")))?;
    }
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use fitter_domain::msg::{self, MESSAGES};
    use fitter_domain::rich::utf16_len;

    use super::*;

    fn example(args: &[&'static str], number: Option<f64>) -> Vec<(std::borrow::Cow<'static, str>, Arg)> {
        args.iter().map(|name| ((*name).into(), number.map_or_else(|| Arg::from("текст"), Arg::from))).collect()
    }

    /// Telegram's limits for what a message is used as, by the prefix of its key, in UTF-16 units.
    fn limit(key: &str) -> usize {
        match key {
            "bot-description" => 512,
            "bot-short-description" => 120,
            "button-stale" | "not-available" | "cancelled" | "language-set" | "job-made" => 200,
            _ if key.starts_with("command-") => 256,
            _ if key.starts_with("placeholder-") => 64,
            _ if key.starts_with("button-") => 60,
            _ => 1024,
        }
    }

    #[test]
    fn every_message_renders_in_every_language_within_its_limit() {
        let messages = Messages::load().unwrap();
        for locale in Locale::ALL {
            for (key, args) in MESSAGES {
                for number in [None, Some(0.0), Some(1.0), Some(2.0), Some(5.0), Some(21.0)] {
                    let msg = Msg { key: (*key).into(), args: example(args, number) };
                    let text = messages.try_say(locale, &msg).unwrap_or_else(|| panic!("{locale:?} {key} {number:?}"));
                    assert!(!text.trim().is_empty(), "{locale:?} {key}");
                    let units = utf16_len(&text);
                    assert!(units <= limit(key), "{locale:?} {key}: {units} units, at most {}", limit(key));
                }
            }
        }
    }

    #[test]
    fn plural_forms_and_arguments() {
        let messages = Messages::load().unwrap();
        assert_eq!(messages.say(Locale::Ru, &msg::procedure_size(1_u32)), "1 шаг");
        assert_eq!(messages.say(Locale::Ru, &msg::procedure_size(3_u32)), "3 шага");
        assert_eq!(messages.say(Locale::Ru, &msg::procedure_size(12_u32)), "12 шагов");
        assert_eq!(messages.say(Locale::En, &msg::walk_progress(3_u32, 12_u32)), "Step 3 of 12");
        assert_eq!(messages.say(Locale::Kk, &msg::button_timer(2_u32, 0_u32)), "⏱ Белгілеу 2 мин");
        assert_eq!(messages.say(Locale::Ru, &msg::button_timer(0_u32, 30_u32)), "⏱ Засечь 30 с");
    }

    #[test]
    fn a_missing_argument_is_noticed() {
        let messages = Messages::load().unwrap();
        assert_eq!(messages.try_say(Locale::Ru, &Msg { key: "walk-progress".into(), args: vec![] }), None);
    }
}
