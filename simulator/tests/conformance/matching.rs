//! Comparing an answer with what it must be.

use serde_json::Value;

/// The first difference. Objects may have more fields than expected; `$any` fits anything that is there, `$absent` what is not.
pub fn difference(expected: &Value, found: &Value) -> Option<String> {
    at("", expected, found)
}

fn at(path: &str, expected: &Value, found: &Value) -> Option<String> {
    let differs = || Some(format!("{} must be {expected}, is {found}", if path.is_empty() { "it" } else { path }));
    match expected {
        Value::String(text) if text == "$any" => found.is_null().then(differs).flatten(),
        Value::Object(fields) if found.is_object() => fields.iter().find_map(|(name, expected)| {
            let path = format!("{path}/{name}");
            match (expected.as_str(), found.get(name)) {
                (Some("$absent"), None) => None,
                (Some("$absent"), Some(value)) => Some(format!("{path} must be absent, is {value}")),
                (_, None) => Some(format!("{path} is missing")),
                (_, Some(value)) => at(&path, expected, value),
            }
        }),
        Value::Array(items) => match found.as_array() {
            Some(others) if others.len() == items.len() => {
                let mut both = items.iter().zip(others).enumerate();
                both.find_map(|(index, (expected, found))| at(&format!("{path}/{index}"), expected, found))
            }
            _ => differs(),
        },
        _ => (expected != found).then(differs).flatten(),
    }
}

#[test]
fn differences_are_found() {
    let differs = |expected: Value, found: Value| difference(&expected, &found);
    use serde_json::json;
    assert_eq!(differs(json!({ "a": 1 }), json!({ "a": 1, "b": 2 })), None);
    assert_eq!(differs(json!({ "a": { "b": 1 } }), json!({ "a": { "b": 2 } })).unwrap(), "/a/b must be 1, is 2");
    assert_eq!(differs(json!({ "a": 1 }), json!({})).unwrap(), "/a is missing");
    assert_eq!(differs(json!([1]), json!([1, 2])).unwrap(), "it must be [1], is [1,2]");
    assert_eq!(differs(json!({ "a": "$any" }), json!({ "a": 5 })), None);
    assert_eq!(differs(json!({ "a": "$absent" }), json!({ "a": 5 })).unwrap(), "/a must be absent, is 5");
    assert_eq!(differs(json!({ "a": "$absent" }), json!({})), None);
}
