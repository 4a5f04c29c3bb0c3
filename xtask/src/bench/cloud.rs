//! The sandbox in a process of its own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

pub(crate) struct Cloud {
    process: Child,
    control: String,
    pub(crate) api: String,
    pub(crate) library: String,
    pub(crate) space: String,
    pub(crate) token: String,
    pub(crate) container: String,
    pub(crate) koodrive_token: String,
}

/// Where one PUT goes, and with what.
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Cloud {
    pub(crate) fn start(command: &Path) -> Result<Cloud, String> {
        let mut process = Command::new(command)
            .args(["sandbox", "--json", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the sandbox: {error}"))?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line).map_err(|error| format!("the sandbox: {error}"))?;
        }
        let addresses: Value =
            serde_json::from_str(&line).map_err(|error| format!("the sandbox says {line:?}: {error}"))?;
        let text = |name: &str| addresses[name].as_str().unwrap_or("").to_owned();
        let koodrive = |name: &str| addresses["koodrive"][name].as_str().unwrap_or("").to_owned();
        let cloud = Cloud {
            process,
            control: text("control"),
            container: koodrive("container"),
            koodrive_token: koodrive("token"),
            api: text("api"),
            library: text("library"),
            space: text("space"),
            token: text("token"),
        };
        call("POST", &cloud.control, "/config", r#"{"discard":true}"#)?;
        call("POST", &cloud.control, "/directories", r#"{"path":"bench","space":"-"}"#)?;
        Ok(cloud)
    }

    /// How many parts have begun to come after that request, and the number of the last request.
    pub(crate) fn parts_begun(&self, since: u64) -> Result<(usize, u64), String> {
        let log = call("GET", &self.control, &format!("/log?since={since}"), "")?;
        let log = log.as_array().ok_or("the sandbox gave no log")?;
        let last = log.iter().filter_map(|entry| entry["seq"].as_u64()).max().unwrap_or(since);
        Ok((log.iter().filter(|entry| entry["step"] == "part").count(), last))
    }

    /// Every request waits so long before it is looked at.
    pub(crate) fn delay(&self, ms: u64) -> Result<(), String> {
        call("POST", &self.control, "/rules", &format!(r#"{{"step":"any","how":"delay","ms":{ms}}}"#)).map(drop)
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Result<Vec<Value>, String> {
        match call("GET", &self.control, "/log", "")? {
            Value::Array(entries) => Ok(entries),
            _ => Err("the sandbox gave no log".to_owned()),
        }
    }

    /// A signed place for one PUT of the whole file.
    pub(crate) fn link(&self, name: &str, size_bytes: u64) -> Result<Link, String> {
        let Cloud { library, space, token, .. } = self;
        let path = format!("/api/v1/file/{library}/{space}/bench/{name}?filesize={size_bytes}&access_token={token}");
        let info = call("PUT", &self.api, &path, "")?;
        let text = |name: &str| info[name].as_str().unwrap_or("").to_owned();
        let headers = info["headers"].as_object().ok_or("the sandbox gave no headers")?;
        let headers = headers.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Ok(Link { url: format!("http://{}{}", text("domain"), text("path")), headers: headers.collect() })
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One request, one connection.
fn call(method: &str, base: &str, path: &str, body: &str) -> Result<Value, String> {
    let host = base.trim_start_matches("http://");
    let exchange = || -> std::io::Result<String> {
        let mut socket = TcpStream::connect(host)?;
        let length = body.len();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = exchange().map_err(|error| format!("{method} {path}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 2") {
        return Err(format!("{method} {path}: {answer}"));
    }
    Ok(serde_json::from_str(body).unwrap_or(Value::Null))
}
