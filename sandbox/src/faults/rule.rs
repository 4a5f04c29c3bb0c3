//! One fault rule.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{How, Plane, Service, Step};

/// When something goes wrong, and what. Rules are tried in the order in which they were added; the first that applies wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// The sandbox's name for the rule; 0 lets it choose.
    #[serde(default)]
    pub id: u64,
    /// Which requests.
    pub step: Step,
    /// Only requests to this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Only on this listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<Plane>,
    /// Only this part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// Only when the request's path, or the remote path of the upload that it speaks of, contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// Leave the first so many matching requests alone.
    #[serde(default)]
    pub after: u64,
    /// How many requests to hit; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// Matching requests so far, the ones left alone included.
    #[serde(default)]
    pub seen: u64,
    /// What happens.
    #[serde(flatten)]
    pub how: How,
}

impl Rule {
    /// Hits every request of this step, for ever.
    pub fn new(step: Step, how: How) -> Self {
        Self {
            id: 0,
            step,
            service: None,
            plane: None,
            part: None,
            path_contains: None,
            after: 0,
            times: None,
            seen: 0,
            how,
        }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Leaves the first so many matches alone.
    #[must_use]
    pub fn after(mut self, after: u64) -> Self {
        self.after = after;
        self
    }

    /// Only this part number.
    #[must_use]
    pub fn part(mut self, part: u32) -> Self {
        self.part = Some(part);
        self
    }

    /// Only requests to this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only on this listener.
    #[must_use]
    pub fn plane(mut self, plane: Plane) -> Self {
        self.plane = Some(plane);
        self
    }

    /// Only paths that contain this.
    #[must_use]
    pub fn path_contains(mut self, text: impl Into<String>) -> Self {
        self.path_contains = Some(text.into());
        self
    }

    /// Reads a rule as the control interface takes it. `how` may also be an object that holds the fields of the fault.
    ///
    /// # Errors
    /// A sentence on what is wrong, an unknown field included.
    pub fn from_json(value: Value) -> Result<Self, String> {
        let Value::Object(mut object) = value else { return Err("a rule is a JSON object".to_owned()) };
        if let Some(Value::Object(how)) = object.get("how").cloned() {
            object.remove("how");
            for (name, value) in how {
                if object.insert(name.clone(), value).is_some() {
                    return Err(format!("`{name}` is given twice"));
                }
            }
        }
        let names: Vec<String> = object.keys().cloned().collect();
        let rule: Self = serde_json::from_value(Value::Object(object)).map_err(|e| e.to_string())?;
        let known = known_fields(&rule.how);
        match names.iter().find(|n| !known.contains(&n.as_str())) {
            Some(name) => Err(format!("`{name}` is no field of this rule")),
            None => rule.checked(),
        }
    }

    fn checked(self) -> Result<Self, String> {
        match &self.how {
            How::Raw { text: None, base64: None } => Err("`raw` needs `text` or `base64`".to_owned()),
            How::BodyOverride { json: None, text: None } => Err("`body_override` needs `json` or `text`".to_owned()),
            How::Status { status, .. } | How::Early { status, .. } | How::EarlyReset { status, .. }
                if !(200..=599).contains(status) =>
            {
                Err("`status` is out of 200..=599".to_owned())
            }
            _ => Ok(self),
        }
    }

    /// The rule as the control interface gives it.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Object(Map::new()))
    }
}

/// A misspelt field must not become a rule that means something else, and serde can't refuse one beside a flattened enum.
fn known_fields(how: &How) -> Vec<&'static str> {
    let own: &[&str] = match how {
        How::DropBody { .. }
        | How::CutAnswer { .. }
        | How::HalfAnswer { .. }
        | How::Stall { .. }
        | How::Hold { .. } => &["after_bytes"],
        How::Status { .. } => &["status", "code", "message", "headers", "body", "process"],
        How::Early { .. } | How::EarlyReset { .. } => &["status", "code", "message", "headers", "body"],
        How::Delay { .. } => &["ms"],
        How::Trickle { .. } | How::SlowRead { .. } => &["bytes_per_s"],
        How::Raw { .. } => &["text", "base64"],
        How::Redirect { .. } => &["location"],
        How::Corrupt { .. } => &["bit"],
        How::BodyOverride { .. } => &["json", "text"],
        _ => &[],
    };
    ["id", "step", "service", "plane", "part", "path_contains", "after", "times", "seen", "how"]
        .into_iter()
        .chain(own.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fault_is_written_beside_the_rule_or_inside_how() {
        let flat = Rule::from_json(json!({"step":"part","part":2,"times":1,"how":"drop_body","after_bytes":7}));
        let nested =
            Rule::from_json(json!({"step":"part","part":2,"times":1,"how":{"how":"drop_body","after_bytes":7}}));
        assert_eq!(flat, Ok(Rule::new(Step::Part, How::DropBody { after_bytes: 7 }).part(2).once()));
        assert_eq!(flat, nested);
    }

    #[test]
    fn what_is_given_back_can_be_given_again() {
        let hows = [
            How::DropBefore,
            How::status(503, "SlowDown"),
            How::raw(b"\x00\xff"),
            How::Corrupt { bit: 9 },
            How::Stall { after_bytes: 1 },
            How::Hold { after_bytes: 1 },
        ];
        for how in hows {
            let rule = Rule::new(Step::Any, how).after(3);
            assert_eq!(Rule::from_json(rule.to_json()), Ok(rule));
        }
    }

    #[test]
    fn a_misspelt_rule_is_refused() {
        for bad in [
            json!({"step":"part","how":"drop_befor"}),
            json!({"step":"part","how":"drop_before","time":1}),
            json!({"step":"parts","how":"reset"}),
            json!({"step":"part","how":"stall"}),
            json!({"step":"part","how":"raw"}),
            json!({"step":"part","how":"status","status":7}),
            json!([]),
        ] {
            assert!(Rule::from_json(bad.clone()).is_err(), "{bad}");
        }
    }
}
