//! The rules in force.

use super::{How, Plane, Rule, Service, Step};

/// What a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) service: Service,
    pub(crate) plane: Plane,
    pub(crate) step: Step,
    pub(crate) part: Option<u32>,
    /// The request's path and, when known, the remote path of its upload.
    pub(crate) paths: [&'a str; 2],
}

#[derive(Debug, Default)]
pub(crate) struct Rules {
    list: Vec<Rule>,
    last_id: u64,
}

impl Rules {
    /// Adds a rule, replacing the one of the same id.
    pub(crate) fn add(&mut self, mut rule: Rule) -> u64 {
        if rule.id == 0 {
            rule.id = self.last_id + 1;
        }
        self.last_id = self.last_id.max(rule.id);
        self.list.retain(|r| r.id != rule.id);
        let id = rule.id;
        self.list.push(rule);
        id
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.list.len();
        self.list.retain(|r| r.id != id);
        before != self.list.len()
    }

    pub(crate) fn has(&self, id: u64) -> bool {
        self.list.iter().any(|rule| rule.id == id)
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    pub(crate) fn list(&self) -> &[Rule] {
        &self.list
    }

    /// Whether a rule must know which upload a request is about, even if only its body tells.
    pub(crate) fn look_inside(&self) -> bool {
        self.list.iter().any(|rule| rule.path_contains.is_some() || rule.how == How::Forget)
    }

    /// The first rule that applies. A rule counts each request that reaches it, so one behind a rule that hit does not.
    pub(crate) fn hit(&mut self, asked: Asked<'_>) -> Option<(u64, How)> {
        for rule in &mut self.list {
            if !matches(rule, asked) {
                continue;
            }
            rule.seen += 1;
            let hits = rule.seen.saturating_sub(rule.after);
            if hits > 0 && rule.times.is_none_or(|times| hits <= times) {
                return Some((rule.id, rule.how.clone()));
            }
        }
        None
    }
}

fn matches(rule: &Rule, asked: Asked<'_>) -> bool {
    (rule.step == Step::Any || rule.step == asked.step)
        && rule.service.is_none_or(|service| service == asked.service)
        && rule.plane.is_none_or(|plane| plane == asked.plane)
        && rule.part.is_none_or(|part| asked.part == Some(part))
        && rule.path_contains.as_ref().is_none_or(|text| asked.paths.iter().any(|path| path.contains(text.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(n: u32) -> Asked<'static> {
        Asked {
            service: Service::Smh,
            plane: Plane::Data,
            step: Step::Part,
            part: Some(n),
            paths: ["/smh/x", "a/b.bin"],
        }
    }

    #[test]
    fn skips_then_hits_then_rests() {
        let mut rules = Rules::default();
        rules.add(Rule::new(Step::Part, How::Reset).after(1).times(2));
        let hits: Vec<bool> = (0..5).map(|_| rules.hit(part(1)).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn the_first_that_applies_wins() {
        let mut rules = Rules::default();
        rules.add(Rule::new(Step::Part, How::Reset).part(2));
        rules.add(Rule::new(Step::Any, How::DropBefore).path_contains("b.bin"));
        assert_eq!(rules.hit(part(2)), Some((1, How::Reset)));
        assert_eq!(rules.hit(part(1)), Some((2, How::DropBefore)));
        assert_eq!(rules.hit(Asked { paths: ["/", ""], ..part(1) }), None);
    }
}
