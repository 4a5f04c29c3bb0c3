//! Where a file goes to, and the name by which the same upload is known again.

use std::{
    fs::Metadata,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use partway::{
    error::ErrorInfo,
    hash::{Digester, Wants},
    model::{Conflict, SmhMode, SmhTarget, Target},
};

use crate::{
    args::UploadArgs,
    exit::usage,
    words::{ConflictWord, ModeWord},
};

/// Credentials are told apart by account; the command has one at a time.
const ACCOUNT: &str = "default";

/// The destination of a file of that name; `several`: the remote path names a directory.
pub(crate) fn target(
    args: &UploadArgs,
    name: Option<&str>,
    file: Option<&Metadata>,
    several: bool,
) -> Result<Target, ErrorInfo> {
    refuse_foreign(args)?;
    let smh = &args.smh;
    let times = file.filter(|_| !smh.no_times);
    let path = smh.path.as_deref().ok_or_else(|| usage("--path REMOTE is missing"))?;
    Ok(Target::Smh(SmhTarget {
        endpoint: endpoint(&args.endpoint)?,
        account: ACCOUNT.to_owned(),
        library: smh.library.clone().filter(|id| !id.is_empty()).ok_or_else(|| usage("--library ID is missing"))?,
        space: smh.space.clone().filter(|id| !id.is_empty()).unwrap_or_else(|| "-".to_owned()),
        path: remote_path(path, name, several)?,
        mode: match smh.mode {
            None | Some(ModeWord::Auto) => SmhMode::Auto,
            Some(ModeWord::Simple) => SmhMode::Simple,
            Some(ModeWord::Form) => SmhMode::Form,
            Some(ModeWord::Multipart) => SmhMode::Multipart,
        },
        user_id: args.user_id.clone(),
        create_parents: !smh.no_create_parents,
        meta: smh.meta.iter().map(|pair| meta(pair)).collect::<Result<_, _>>()?,
        labels: smh.label.clone(),
        category: smh.category.clone(),
        created_unix_ms: times.and_then(|file| unix_ms(file.created().ok()?)),
        modified_unix_ms: times.and_then(|file| unix_ms(file.modified().ok()?)),
        traffic_limit_bytes_per_s: smh.traffic_limit,
        prefer_same_origin: smh.prefer_same_origin,
        private: smh.private,
    }))
}

/// What to do when the name is taken.
pub(crate) fn conflict(args: &UploadArgs) -> Result<Conflict, ErrorInfo> {
    match (args.smh.conflict.unwrap_or(ConflictWord::Rename), &args.smh.content_cas) {
        (ConflictWord::Overwrite, tag) => Ok(Conflict::Overwrite { if_version: tag.clone() }),
        (_, Some(_)) => Err(usage("--content-cas needs --conflict overwrite")),
        (ConflictWord::Ask, None) => Ok(Conflict::Ask),
        (ConflictWord::Rename, None) => Ok(Conflict::Rename),
    }
}

/// The same service, endpoint, destination and source make the same upload, whatever else is asked for.
pub(crate) fn key(target: &Target, source: &Path) -> Result<String, ErrorInfo> {
    let mut fields: Vec<&[u8]> = vec![target.service().name().as_bytes()];
    match target {
        Target::Smh(smh) => {
            fields.extend([&smh.endpoint, &smh.library, &smh.space, &smh.path].map(|text| text.as_bytes()))
        }
        Target::KooDrive(koo) => {
            fields.extend([&koo.endpoint, &koo.container, &koo.parent, &koo.name].map(|text| text.as_bytes()));
        }
    }
    fields.push(source.as_os_str().as_encoded_bytes());
    let mut digester = Digester::new(Wants { sha256: true, ..Wants::default() })?;
    for field in fields {
        // With its length first, no two lists of fields read the same.
        digester.update(&(field.len() as u64).to_le_bytes());
        digester.update(field);
    }
    Ok(format!("cli-{}", digester.finish().sha256.unwrap_or_default()))
}

fn refuse_foreign(args: &UploadArgs) -> Result<(), ErrorInfo> {
    let koo = &args.koodrive;
    let given = [
        ("--container", koo.container.is_some()),
        ("--parent", koo.parent.is_some()),
        ("--name", koo.name.is_some()),
        ("--rename", koo.rename.is_some()),
        ("--file-type", koo.file_type.is_some()),
        ("--shared-folder", koo.shared_folder.is_some()),
        ("--language", koo.language.is_some()),
        ("--app-id", koo.app_id.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(usage(format!("{option} is for --service koodrive"))),
        None => Ok(()),
    }
}

fn endpoint(text: &str) -> Result<String, ErrorInfo> {
    let trimmed = text.trim_end_matches('/');
    let authority = ["https://", "http://"].iter().find_map(|scheme| trimmed.strip_prefix(scheme));
    let plain = |authority: &str| {
        !authority.is_empty()
            && !authority.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#@\\".contains(c))
    };
    match authority {
        Some(authority) if plain(authority) => Ok(trimmed.to_owned()),
        _ => Err(usage("--endpoint is https://host[:port], or http:// for an emulator")),
    }
}

fn remote_path(path: &str, name: Option<&str>, several: bool) -> Result<String, ErrorInfo> {
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if several || path.ends_with('/') || segments.is_empty() {
        segments.push(
            name.ok_or_else(|| usage("a FILE's name is no text that could be its remote name; give it by --path"))?,
        );
    }
    Ok(segments.join("/"))
}

fn meta(pair: &str) -> Result<(String, String), ErrorInfo> {
    match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(usage("--meta is K=V")),
    }
}

fn unix_ms(time: SystemTime) -> Option<i64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).ok(),
        Err(before) => i64::try_from(before.duration().as_millis()).ok().map(|ms| -ms),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Command, Verb};

    fn args(extra: &str) -> UploadArgs {
        let line = format!("partway upload f --service smh --endpoint https://h/ --library L {extra}");
        match Command::try_parse_from(line.split_whitespace()).expect("an upload").verb {
            Verb::Upload(args) => *args,
            _ => panic!("not an upload"),
        }
    }

    fn built(extra: &str) -> Result<SmhTarget, ErrorInfo> {
        match target(&args(extra), Some("f.bin"), None, false)? {
            Target::Smh(smh) => Ok(smh),
            Target::KooDrive(_) => panic!("another service"),
        }
    }

    #[test]
    fn a_target() {
        let smh =
            built("--path /a//b --meta k=v=w --label x --label y --private --no-create-parents").expect("a target");
        assert_eq!((smh.endpoint.as_str(), smh.space.as_str(), smh.path.as_str()), ("https://h", "-", "a/b"));
        assert_eq!(smh.meta.get("k").map(String::as_str), Some("v=w"));
        assert_eq!((smh.labels.len(), smh.private, smh.create_parents), (2, true, false));
        assert!(built("--path a").is_ok_and(|smh| smh.create_parents && smh.account == "default"));
    }

    #[test]
    fn refusals() {
        for (extra, word) in [
            ("", "--path"),
            ("--path a --meta nothing", "K=V"),
            ("--path a --container C", "koodrive"),
            ("--path a --app-id C", "koodrive"),
        ] {
            let error = built(extra).expect_err(extra);
            assert!(error.detail.contains(word), "{extra}: {}", error.detail);
        }
        for bad in ["", "h", "ftp://h", "https://", "https://u@h", "https://h/path", "https://h?x", "https://a b"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_directory_takes_the_name_of_the_file() {
        let at = |path: &str, several| remote_path(path, Some("f"), several).expect("a path");
        assert_eq!(
            (at("a/b", false), at("a/b", true), at("a/b/", false)),
            ("a/b".into(), "a/b/f".into(), "a/b/f".into())
        );
        assert_eq!((at("/", false), at("", true)), ("f".into(), "f".into()));
        assert!(remote_path("a/", None, false).is_err() && remote_path("a", None, false).is_ok());
    }

    #[test]
    fn conflicts() {
        assert_eq!(conflict(&args("")), Ok(Conflict::Rename));
        assert_eq!(conflict(&args("--conflict ask")), Ok(Conflict::Ask));
        let tagged = Conflict::Overwrite { if_version: Some("t".to_owned()) };
        assert_eq!(conflict(&args("--conflict overwrite --content-cas t")), Ok(tagged));
        assert!(conflict(&args("--content-cas t")).is_err());
    }

    #[test]
    fn a_key_is_the_place_and_the_source_and_nothing_else() {
        let key_of = |extra: &str, source: &str| {
            let target = target(&args(extra), Some("f.bin"), None, false).expect("a target");
            key(&target, Path::new(source)).expect("a key")
        };
        let first = key_of("--path a/b", "/f");
        assert_eq!(first.len(), 4 + 64);
        assert_eq!(
            first,
            key_of("--path a//b --conflict ask --parallel 9 --limit-rate 1 --meta a=b --instant off", "/f")
        );
        let others = [
            key_of("--path a/c", "/f"),
            key_of("--path a/b --space s", "/f"),
            key_of("--path a/b", "/g"),
            key_of("--path a", "b/f"),
            key_of("--path b --space a", "/f"),
        ];
        assert!(others.iter().all(|other| *other != first));
    }
}
