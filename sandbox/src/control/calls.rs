//! The calls of the control interface.

use std::fs::File;

use serde_json::{Value, json};

use crate::answer::{Answer, Payload};
use crate::faults::Rule;
use crate::operations;
use crate::shared::Shared;

pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) since: u64,
    pub(super) body: &'a [u8],
}

type Refused = (u16, String);

pub(super) fn call(shared: &Shared, call: &Call<'_>) -> Result<Answer, Refused> {
    let path: Vec<&str> = call.path.split('/').filter(|p| !p.is_empty()).collect();
    match (call.method, path.as_slice()) {
        ("GET", []) => ok(&operations::addresses(shared)),
        ("GET", ["rules"]) => list(operations::rules(shared).iter().map(Rule::to_json)),
        ("POST", ["rules"]) => add_rules(shared, json(call.body)?),
        ("DELETE", ["rules"]) => {
            shared.world().rules.clear();
            done()
        }
        ("DELETE", ["rules", id]) => {
            let removed = id.parse().is_ok_and(|id| shared.world().rules.remove(id));
            if removed { done() } else { Err(absent("rule")) }
        }
        ("GET", ["objects"]) => ok(&operations::objects(shared)),
        ("GET", ["objects", id, "content"]) => content(shared, id),
        ("GET", ["log"]) => ok(&shared.log.list(call.since)),
        ("DELETE", ["log"]) => {
            shared.log.clear();
            done()
        }
        ("GET", ["clock"]) => ok(&json!({ "offset_ms": shared.clock.offset_ms(), "now_ms": shared.clock.now_ms() })),
        ("POST", ["clock"]) => {
            let body = json(call.body)?;
            let offset_ms = body["offset_ms"].as_i64().ok_or_else(|| bad("`offset_ms` is missing"))?;
            shared.clock.set_offset_ms(offset_ms);
            done()
        }
        ("POST", ["forget"]) => forget(shared, &json(call.body)?),
        ("POST", ["tokens"]) => tokens(shared, &json(call.body)?),
        ("GET", ["config"]) => ok(&shared.world().switches),
        ("POST", ["config"]) => {
            let change = json(call.body)?;
            let world = &mut *shared.world();
            world.switches = world.switches.changed_by(&change).map_err(|why| bad(&why))?;
            ok(&world.switches)
        }
        ("GET", ["uploads"]) => ok(&operations::uploads(shared)),
        ("POST", ["directories"]) => {
            let body = json(call.body)?;
            let path = body["path"].as_str().ok_or_else(|| bad("`path` is missing"))?;
            let space = body["space"].as_str().unwrap_or("-");
            operations::make_directory(shared, space, path);
            done()
        }
        ("POST", ["reset"]) => {
            operations::reset(shared);
            done()
        }
        _ => Err(absent("call")),
    }
}

fn add_rules(shared: &Shared, body: Value) -> Result<Answer, Refused> {
    let many = body.is_array();
    let rules = match body {
        Value::Array(rules) => rules,
        one => vec![one],
    };
    let rules: Result<Vec<Rule>, String> = rules.into_iter().map(Rule::from_json).collect();
    let rules = rules.map_err(|why| bad(&why))?;
    let ids: Vec<u64> = {
        let world = &mut *shared.world();
        rules.into_iter().map(|rule| world.rules.add(rule)).collect()
    };
    ok(&if many { json!({ "ids": ids }) } else { json!({ "id": ids.first() }) })
}

fn forget(shared: &Shared, body: &Value) -> Result<Answer, Refused> {
    match (body["confirm_key"].as_str(), body["all"].as_bool()) {
        (Some(key), _) if operations::forget(shared, key) => done(),
        (Some(_), _) => Err(absent("upload")),
        (None, Some(true)) => {
            operations::forget_all(shared);
            done()
        }
        _ => Err(bad("`confirm_key` or `all` is missing")),
    }
}

fn tokens(shared: &Shared, body: &Value) -> Result<Answer, Refused> {
    let world = &mut *shared.world();
    if body["service"] == "koodrive" {
        return koodrive_tokens(&mut world.koodrive.tokens, body);
    }
    match (body["add"].as_str(), body["revoke"].as_str(), body["only"].as_array()) {
        (Some(token), None, None) => world.smh.tokens.add_fixed(token.to_owned()),
        (None, Some(token), None) => drop(world.smh.tokens.revoke(token)),
        (None, None, Some(only)) => {
            world.smh.tokens.clear();
            only.iter().filter_map(Value::as_str).for_each(|token| world.smh.tokens.add_fixed(token.to_owned()));
        }
        _ => return Err(bad("one of `add`, `revoke` and `only`")),
    }
    done()
}

fn koodrive_tokens(tokens: &mut crate::koodrive::Tokens, body: &Value) -> Result<Answer, Refused> {
    match (body["add"].as_str(), body["revoke"].as_str(), body["only"].as_array()) {
        (Some(token), None, None) => tokens.add(token),
        (None, Some(token), None) => drop(tokens.revoke(token)),
        (None, None, Some(only)) => {
            tokens.clear();
            only.iter().filter_map(Value::as_str).for_each(|token| tokens.add(token));
        }
        _ => return Err(bad("one of `add`, `revoke` and `only`")),
    }
    done()
}

fn content(shared: &Shared, id: &str) -> Result<Answer, Refused> {
    let file = {
        let world = shared.world();
        let object = id.parse().ok().and_then(|id| world.store.object(id)).ok_or_else(|| absent("object"))?;
        File::open(object.file.as_ref().ok_or_else(|| absent("content"))?)
    };
    let file = file.and_then(|file| Ok((file.metadata()?.len(), file)));
    let (size, file) = file.map_err(|error| (500, error.to_string()))?;
    Ok(Answer { body: Payload::File(file, size), ..Answer::text(200, "application/octet-stream", String::new()) })
}

fn json(body: &[u8]) -> Result<Value, Refused> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| bad(&format!("the body is not JSON: {error}")))
}

fn ok(body: &impl serde::Serialize) -> Result<Answer, Refused> {
    let body = serde_json::to_value(body).map_err(|error| (500, error.to_string()))?;
    Ok(Answer::json(200, &body))
}

fn list(items: impl Iterator<Item = Value>) -> Result<Answer, Refused> {
    ok(&items.collect::<Vec<_>>())
}

fn done() -> Result<Answer, Refused> {
    ok(&json!({}))
}

fn bad(why: &str) -> Refused {
    (400, why.to_owned())
}

fn absent(what: &str) -> Refused {
    (404, format!("no such {what}"))
}
