//! Maps with numbers as keys, written as lists of pairs: the journal's tagged records cannot have such keys.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub(super) fn serialize<S: Serializer, V: Serialize>(map: &BTreeMap<i64, V>, serializer: S) -> Result<S::Ok, S::Error> {
    map.iter().collect::<Vec<_>>().serialize(serializer)
}

/// Also takes an object, as it was written before.
pub(super) fn deserialize<'de, D: Deserializer<'de>, V: DeserializeOwned>(deserializer: D) -> Result<BTreeMap<i64, V>, D::Error> {
    let pairs: Vec<(i64, V)> = match Value::deserialize(deserializer)? {
        Value::Object(map) => {
            let pair = |(key, value): (String, Value)| {
                Ok((key.parse().map_err(D::Error::custom)?, serde_json::from_value(value).map_err(D::Error::custom)?))
            };
            map.into_iter().map(pair).collect::<Result<_, D::Error>>()?
        }
        list => serde_json::from_value(list).map_err(D::Error::custom)?,
    };
    Ok(pairs.into_iter().collect())
}
