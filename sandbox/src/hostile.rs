//! Ends of a connection that no well-behaved server offers. They run on the bare stream, after hyper was taken off it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::stream::Stream;

/// How the rest of a connection goes.
#[derive(Debug)]
pub(crate) enum Script {
    /// Close; what came in already is taken from the socket, so that a client that is not writing sees an orderly end.
    Close,
    /// Reset.
    Reset,
    /// Write these bytes, then …
    Write { bytes: Vec<u8>, then: Then },
    /// Write these bytes at this rate, then close.
    Trickle { bytes: Vec<u8>, bytes_per_s: u64 },
    /// Neither read nor write until the client goes.
    Hold,
    /// Write this head, then this filler for ever.
    Endless { head: Vec<u8>, filler: Vec<u8> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Say that nothing more comes, and read on for a while so that the client sees what was written.
    Linger,
    Reset,
    /// As [`Script::Hold`].
    Hold,
}

/// How long a lingering close reads on.
const LINGER: Duration = Duration::from_secs(5);

/// How often a held connection is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub(crate) async fn run(script: Script, mut stream: Stream) {
    // What goes wrong here is the client's going away, which ends the script.
    let _ = match script {
        Script::Close => {
            drain_now(&stream);
            Ok(())
        }
        Script::Reset => stream.tcp().set_zero_linger(),
        Script::Write { bytes, then } => write_then(&mut stream, &bytes, then).await,
        Script::Trickle { bytes, bytes_per_s } => trickle(&mut stream, &bytes, bytes_per_s).await,
        Script::Hold => {
            hold(&stream).await;
            Ok(())
        }
        Script::Endless { head, filler } => endless(&mut stream, &head, &filler).await,
    };
}

async fn write_then(stream: &mut Stream, bytes: &[u8], then: Then) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    match then {
        Then::Reset => stream.tcp().set_zero_linger()?,
        Then::Hold => hold(stream).await,
        Then::Linger => {
            stream.shutdown().await?;
            let mut sink = vec![0; 64 * 1024];
            let drain = async { while stream.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
            let _ = tokio::time::timeout(LINGER, drain).await;
        }
    }
    Ok(())
}

async fn trickle(stream: &mut Stream, bytes: &[u8], bytes_per_s: u64) -> std::io::Result<()> {
    let pause = Duration::from_nanos(1_000_000_000 / bytes_per_s.max(1));
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        for byte in bytes {
            writing.write_all(&[*byte]).await?;
            writing.flush().await?;
            tokio::time::sleep(pause).await;
        }
        writing.shutdown().await
    };
    let mut sink = [0; 4096];
    let gone = async { while reading.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
    tokio::select! {
        result = write => result,
        () = gone => Ok(()),
    }
}

async fn endless(stream: &mut Stream, head: &[u8], filler: &[u8]) -> std::io::Result<()> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        writing.write_all(head).await?;
        loop {
            writing.write_all(filler).await?;
            tokio::task::yield_now().await;
        }
    };
    let mut sink = vec![0; 64 * 1024];
    let gone = async { while reading.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
    tokio::select! {
        result = write => result,
        () = gone => Ok(()),
    }
}

/// Nothing is read, so the client's going must be asked of the socket.
async fn hold(stream: &Stream) {
    use tokio::io::Interest;
    loop {
        match stream.tcp().ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(LOOK_EVERY).await,
            _ => return,
        }
    }
}

fn drain_now(stream: &Stream) {
    let mut sink = vec![0; 64 * 1024];
    for _ in 0..64 {
        if !stream.tcp().try_read(&mut sink).is_ok_and(|n| n > 0) {
            return;
        }
    }
}
