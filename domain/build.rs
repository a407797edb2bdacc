//! Makes `fitter_domain::msg` from the Fluent files: one function per message, so that a missing key or argument does not compile.
//!
//! The parameters of a function stand in alphabetical order, whatever the order in the sentence: sentences differ between languages.
#![expect(clippy::panic, clippy::expect_used, reason = "a build script fails by panicking, and cargo shows the message")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

type Messages = BTreeMap<String, BTreeSet<String>>;

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../prompts/messages");
    println!("cargo::rerun-if-changed={}", root.display());
    let russian = read(&root.join("ru"));
    for other in ["kk", "en"] {
        let messages = read(&root.join(other));
        for (key, args) in &russian {
            match messages.get(key) {
                None => panic!("prompts/messages/{other}: message '{key}' is missing"),
                Some(theirs) if theirs != args => {
                    panic!("prompts/messages/{other}: message '{key}' takes {theirs:?}, the Russian one takes {args:?}")
                }
                Some(_) => {}
            }
        }
        if let Some(extra) = messages.keys().find(|key| !russian.contains_key(*key)) {
            panic!("prompts/messages/{other}: message '{extra}' does not exist in ru");
        }
    }
    let mut code = String::from("/// Every message key with the names of its arguments.\npub const MESSAGES: &[(&str, &[&str])] = &[\n");
    for (key, args) in &russian {
        writeln!(code, "    ({key:?}, &{:?}),", args.iter().collect::<Vec<_>>()).expect("a string");
    }
    code.push_str("];\n");
    for (key, args) in &russian {
        let name = key.replace('-', "_");
        let params: Vec<String> = args.iter().map(|arg| format!("{arg}: impl Into<Arg>")).collect();
        let pairs: Vec<String> = args.iter().map(|arg| format!("({arg:?}.into(), {arg}.into())")).collect();
        writeln!(
            code,
            "/// `{key}`\n#[must_use]\npub fn {name}({}) -> Msg {{ Msg {{ key: {key:?}.into(), args: vec![{}] }} }}",
            params.join(", "),
            pairs.join(", ")
        )
        .expect("a string");
    }
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("messages.rs"), code).expect("OUT_DIR is writable");
}

fn read(folder: &Path) -> Messages {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut messages = Messages::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for path in entries.map(|entry| entry.expect("readable").path()).filter(|path| path.extension().is_some_and(|e| e == "ftl")) {
        println!("cargo::rerun-if-changed={}", path.display());
        let source = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let resource = fluent_syntax::parser::parse(source.as_str()).unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", path.display()));
        for entry in resource.body {
            let Entry::Message(message) = entry else { continue };
            let mut args = BTreeSet::new();
            if let Some(pattern) = &message.value {
                collect(pattern, &mut args);
            }
            if messages.insert(message.id.name.to_owned(), args).is_some() {
                panic!("{}: message '{}' exists twice", path.display(), message.id.name);
            }
        }
    }
    messages
}

fn collect(pattern: &Pattern<&str>, args: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            collect_expression(expression, args);
        }
    }
}

fn collect_expression(expression: &Expression<&str>, args: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => collect_inline(inline, args),
        Expression::Select { selector, variants } => {
            collect_inline(selector, args);
            variants.iter().for_each(|variant| collect(&variant.value, args));
        }
    }
}

fn collect_inline(inline: &InlineExpression<&str>, args: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            args.insert(id.name.to_owned());
        }
        InlineExpression::Placeable { expression } => collect_expression(expression, args),
        InlineExpression::FunctionReference { arguments, .. } => {
            arguments.positional.iter().for_each(|argument| collect_inline(argument, args));
        }
        _ => {}
    }
}
