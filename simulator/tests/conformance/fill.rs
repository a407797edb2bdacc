//! Values that are written short: `$name.field` for what is known, `{"$repeat": …}` and the like for what is long.

use std::collections::BTreeMap;

use serde_json::Value;

/// What earlier answers and the surroundings gave.
pub type Known = BTreeMap<String, Value>;

/// The value with everything written out.
pub fn fill(value: &Value, known: &Known) -> Value {
    match value {
        Value::String(text) => reference(text, known).unwrap_or_else(|| value.clone()),
        Value::Array(items) => items.iter().map(|item| fill(item, known)).collect(),
        Value::Object(map) => match map.iter().next() {
            Some((name, rule)) if map.len() == 1 && name.starts_with('$') => written_out(name, rule, known),
            _ => map.iter().map(|(name, value)| (name.clone(), fill(value, known))).collect(),
        },
        _ => value.clone(),
    }
}

/// `$name` or `$name.field.field`; `$any` and `$absent` are for the comparison.
fn reference(text: &str, known: &Known) -> Option<Value> {
    let path = text.strip_prefix('$').filter(|path| !["any", "absent"].contains(path))?;
    let mut parts = path.split('.');
    let root = known.get(parts.next()?).unwrap_or_else(|| panic!("{text} is not known"));
    let value = parts.fold(root, |value, part| &value[part]);
    assert!(!value.is_null(), "{text} is null in {root}");
    Some(value.clone())
}

fn written_out(name: &str, rule: &Value, known: &Known) -> Value {
    let times = || usize::try_from(rule[1].as_u64().expect("a number")).unwrap();
    match name {
        "$repeat" => rule[0].as_str().expect("a text").repeat(times()).into(),
        "$join" => {
            rule.as_array().expect("a list").iter().map(|part| fill(part, known).as_str().unwrap().to_owned()).collect::<String>().into()
        }
        "$array" => Value::Array(vec![fill(&rule[0], known); times()]),
        "$numbered" => (0..times()).map(|number| numbered(&rule[0], number)).collect(),
        _ => panic!("{name} is no rule"),
    }
}

/// `#` becomes the number.
fn numbered(value: &Value, number: usize) -> Value {
    match value {
        Value::String(text) => text.replace('#', &number.to_string()).into(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), numbered(value, number))).collect(),
        _ => value.clone(),
    }
}

#[test]
fn long_values_are_written_out() {
    let known = Known::from([("message".to_owned(), serde_json::json!({ "message_id": 7 }))]);
    let short = serde_json::json!({
        "a": "$message.message_id", "b": { "$join": ["<", { "$repeat": ["x", 3] }, ">"] },
        "c": { "$numbered": [{ "name": "n#" }, 2] }, "d": { "$array": ["$any", 2] },
    });
    let long = serde_json::json!({ "a": 7, "b": "<xxx>", "c": [{ "name": "n0" }, { "name": "n1" }], "d": ["$any", "$any"] });
    assert_eq!(fill(&short, &known), long);
}
