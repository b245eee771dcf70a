//! Changes JSON into other JSON, so that what reads it gets further than its first wrong comma.

use serde_json::{Map, Value, json};

/// Changes one place of a JSON text, or, every fourth time and where it is none, bytes as libFuzzer does.
/// Returns the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut dice = Dice(u64::from(seed) | 1 << 32);
    let value = serde_json::from_slice::<Value>(&data[..size]);
    if let Ok(mut value) = value
        && dice.below(4) != 0
    {
        let places = count(&value);
        let place = dice.below(places);
        let donor = at(&value, &mut dice.below(places)).cloned();
        if let Some(found) = at_mut(&mut value, &mut { place }) {
            change(found, donor.unwrap_or_default(), &mut dice);
        }
        let changed = value.to_string();
        if changed.len() <= max_size {
            data[..changed.len()].copy_from_slice(changed.as_bytes());
            return changed.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_size)
}

/// Numbers that follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most.max(1) as u64).unwrap_or_default()
    }
}

/// How many values there are in a value, itself among them.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The value at this place, depth first.
fn at<'a>(value: &'a Value, place: &mut usize) -> Option<&'a Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(elements) => elements.iter().find_map(|element| at(element, place)),
        Value::Object(members) => members.values().find_map(|member| at(member, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn at_mut<'a>(value: &'a mut Value, place: &mut usize) -> Option<&'a mut Value> {
    if *place == 0 {
        return Some(value);
    }
    *place -= 1;
    match value {
        Value::Array(elements) => elements.iter_mut().find_map(|element| at_mut(element, place)),
        Value::Object(members) => members.values_mut().find_map(|member| at_mut(member, place)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn change(value: &mut Value, donor: Value, dice: &mut Dice) {
    match value {
        Value::Array(elements) if !elements.is_empty() && dice.below(4) != 0 => {
            let (one, other) = (dice.below(elements.len()), dice.below(elements.len()));
            match dice.below(4) {
                0 => drop(elements.remove(one)),
                1 => elements.insert(other, elements[one].clone()),
                2 => elements.swap(one, other),
                _ => elements.insert(other, donor),
            }
        }
        Value::Object(members) if !members.is_empty() && dice.below(4) != 0 => {
            let (one, other) = (key(members, dice), key(members, dice));
            match dice.below(3) {
                0 => drop(members.remove(&one)),
                1 => drop(members.insert(other, members[&one].clone())),
                _ => drop(members.insert(one, donor)),
            }
        }
        Value::String(text) if dice.below(2) != 0 => {
            let mut bytes = std::mem::take(text).into_bytes();
            let size = bytes.len();
            bytes.resize(size + 16, 0);
            let size = libfuzzer_sys::fuzzer_mutate(&mut bytes, size, size + 16);
            *text = String::from_utf8_lossy(&bytes[..size]).into_owned();
        }
        Value::Number(number) if dice.below(2) != 0 => {
            let near = number.as_i64().unwrap_or_default();
            *value = match dice.below(6) {
                0 => near.wrapping_add(1).into(),
                1 => near.wrapping_sub(1).into(),
                2 => near.wrapping_mul(1_000).into(),
                3 => (near / 1_000).into(),
                4 => near.wrapping_neg().into(),
                _ => near.wrapping_add(1 << dice.below(63)).into(),
            };
        }
        other => *other = if dice.below(3) == 0 { donor } else { unusual(dice) },
    }
}

fn key(members: &Map<String, Value>, dice: &mut Dice) -> String {
    members.keys().nth(dice.below(members.len())).cloned().unwrap_or_default()
}

/// A value at which programs stumble.
fn unusual(dice: &mut Dice) -> Value {
    match dice.below(18) {
        0 => Value::Null,
        1 => true.into(),
        2 => false.into(),
        3 => 0.into(),
        4 => (-1).into(),
        5 => i64::MAX.into(),
        6 => i64::MIN.into(),
        7 => u64::MAX.into(),
        8 => json!(1e308),
        9 => json!(-0.0),
        10 => json!(5e-324),
        11 => "".into(),
        12 => "NaN".into(),
        13 => "+Inf".into(),
        14 => "-Inf".into(),
        15 => "\u{0}\u{1b}[31m</script>\u{202e}".into(),
        16 => json!([]),
        _ => json!({}),
    }
}
