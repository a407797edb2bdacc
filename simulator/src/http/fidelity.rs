//! `/fidelity`: what of the Bot API is real here, made from the method table.

use std::fmt::Write;

use axum::response::Html;

use crate::api::{Served, entry};
use crate::schema::Schema;

/// The page.
pub(crate) async fn page() -> Html<String> {
    let Ok(schema) = Schema::get() else {
        return Html("the method table does not parse".into());
    };
    let methods = schema.methods();
    let (mut rows, mut whole, mut part) = (String::new(), 0, 0);
    for method in &methods {
        let (class, word, note) = match entry(method.name).map(|entry| entry.served) {
            Some(Served::Yes) => {
                whole += 1;
                ("yes", "served", "")
            }
            Some(Served::Partly(why)) => {
                part += 1;
                ("partly", "partly", why)
            }
            None => ("no", "not served", "answers 501"),
        };
        // Writing to a String cannot fail.
        write!(rows, "<tr class=\"{class}\"><td>{}</td><td>{word}</td><td>{note}</td></tr>", method.name).ok();
    }
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Fidelity</title>\
         <style>:root{{color-scheme:light dark}}body{{font:16px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}}\
         td{{padding:.2rem 1rem .2rem 0;vertical-align:top}}.no{{opacity:.6}}.partly td:nth-child(2){{font-style:italic}}\
         </style><h1>Fidelity of the simulator</h1>\
         <p>Bot API {}: {} methods, {whole} served, {part} partly, {} not. \
         There are private chats and groups, no channels. A method that is not served answers 501 and says so.</p>\
         <table><thead><tr><th align=\"left\">Method</th><th align=\"left\">State</th><th align=\"left\">Difference</th></tr></thead>\
         <tbody>{rows}</tbody></table></html>",
        schema.version,
        methods.len(),
        methods.len() - whole - part,
    ))
}
