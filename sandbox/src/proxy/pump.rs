//! Carries bytes both ways, at the pace and to the end that was asked for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::link::{Course, LinkState, Strike, Way};

const CHUNK_BYTES: usize = 16 << 10;
/// On their way at once. Little, so that the proxy is no cushion.
const CHUNKS: usize = 4;

/// Until the connection is over.
pub(super) async fn run(client: TcpStream, server: TcpStream, link: Arc<LinkState>) {
    let (from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let mut course = link.course();
    {
        let up = carry(&link, Way::ToServer, &from_client, &mut to_server);
        let down = carry(&link, Way::ToClient, &from_server, &mut to_client);
        let both = async { tokio::join!(up, down) };
        tokio::pin!(both);
        tokio::select! {
            _ = &mut both => link.over(),
            _ = course.wait_for(|course| *course != Course::Carry) => {}
        }
    }
    let course = *course.borrow();
    end(course, &link, (from_client, to_client), (from_server, to_server)).await;
    link.over();
}

type Halves = (OwnedReadHalf, OwnedWriteHalf);

async fn end(course: Course, link: &LinkState, client: Halves, server: Halves) {
    let (from_client, mut to_client) = client;
    let (from_server, mut to_server) = server;
    match course {
        Course::Carry | Course::Over => {}
        Course::Reset => {
            for (from, to) in [(from_client, to_client), (from_server, to_server)] {
                let _ = from.as_ref().set_zero_linger();
                // Dropped as it is, it would say that nothing more comes.
                to.forget();
            }
        }
        Course::Close => {
            let _ = to_client.shutdown().await;
            // What has come in already would turn the close into a reset.
            let mut sink = vec![0; CHUNK_BYTES];
            while from_client.try_read(&mut sink).is_ok_and(|n| n > 0) {}
        }
        Course::HalfClosed => {
            let _ = to_client.shutdown().await;
            carry(link, Way::ToServer, &from_client, &mut to_server).await;
        }
        Course::Swallow => {
            let mut sink = vec![0; CHUNK_BYTES];
            loop {
                if from_client.readable().await.is_err() {
                    return;
                }
                match from_client.try_read(&mut sink) {
                    Ok(n) if n > 0 => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    _ => return,
                }
            }
        }
    }
}

/// One direction, until its end; which is then passed on.
async fn carry(link: &LinkState, way: Way, from: &OwnedReadHalf, to: &mut OwnedWriteHalf) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    tokio::join!(take(link, way, from, sender), give(link, receiver, to));
}

type Chunk = (Instant, Vec<u8>);

async fn take(link: &LinkState, way: Way, from: &OwnedReadHalf, sender: mpsc::Sender<Chunk>) {
    let mut records = Records::default();
    let mut last = Instant::now();
    let mut buf = vec![0; CHUNK_BYTES];
    loop {
        if from.readable().await.is_err() {
            return;
        }
        let n = match from.try_read(&mut buf) {
            Ok(0) => return,
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            // Passed on as it came.
            Err(_) => return link.set_course(Course::Reset),
        };
        link.came(way).fetch_add(n as u64, Ordering::SeqCst);
        let mut chunk = buf[..n].to_vec();
        let before = records.begun;
        let starts = records.starts(&chunk);
        // Before its first byte, and before each record that begins in it.
        let moments = std::iter::once((0, before)).chain(starts.into_iter().zip(before..));
        for (at, begun) in moments {
            match link.due(way, begun) {
                None => {}
                Some(Strike::Corrupt) => {
                    // Beyond the head of a record, whose length would be another one.
                    let at = (at + 12).min(n - 1);
                    chunk[at] ^= 0x40;
                }
                Some(strike) => {
                    chunk.truncate(at);
                    let _ = sender.send((Instant::now(), chunk)).await;
                    // What goes before has been let go.
                    drop(sender.reserve_many(CHUNKS).await);
                    return link.strike(strike);
                }
            }
        }
        last = last.max(Instant::now() + link.pace(0).delay());
        if sender.send((last, chunk)).await.is_err() {
            return;
        }
    }
}

async fn give(link: &LinkState, mut receiver: mpsc::Receiver<Chunk>, to: &mut OwnedWriteHalf) {
    while let Some((due, chunk)) = receiver.recv().await {
        tokio::time::sleep_until(due).await;
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let pace = link.pace(rest.len() as u64);
            let trickled = usize::try_from(pace.trickled_bytes).unwrap_or(usize::MAX).min(rest.len());
            for byte in &rest[..trickled] {
                if to.write_all(&[*byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            rest = &rest[trickled..];
            let some = if pace.bytes_per_s == 0 { rest.len() } else { rest.len().min(8 << 10) };
            if to.write_all(&rest[..some]).await.is_err() {
                return;
            }
            if pace.bytes_per_s > 0 {
                tokio::time::sleep(Duration::from_secs_f64(some as f64 / pace.bytes_per_s as f64)).await;
            }
            rest = &rest[some..];
        }
    }
    let _ = to.shutdown().await;
}

/// Counts TLS records of application data, by their heads.
#[derive(Default)]
struct Records {
    begun: u32,
    head: Vec<u8>,
    /// Of the record that it is in.
    left: usize,
}

impl Records {
    /// Where in this piece such records begin.
    fn starts(&mut self, mut bytes: &[u8]) -> Vec<usize> {
        const HEAD_BYTES: usize = 5;
        const APPLICATION_DATA: u8 = 23;
        let whole = bytes.len();
        let mut starts = Vec::new();
        while !bytes.is_empty() {
            if self.left > 0 {
                let some = self.left.min(bytes.len());
                self.left -= some;
                bytes = &bytes[some..];
                continue;
            }
            if self.head.is_empty() && bytes[0] == APPLICATION_DATA {
                starts.push(whole - bytes.len());
                self.begun += 1;
            }
            let some = (HEAD_BYTES - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..some]);
            bytes = &bytes[some..];
            if let [_, _, _, high, low] = self.head[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
                self.head.clear();
            }
        }
        starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_however_the_bytes_are_cut() {
        let stream =
            [&[22, 3, 1, 0, 2, 9, 9][..], &[23, 3, 3, 0, 3, 1, 2, 3], &[20, 3, 3, 0, 1, 1], &[23, 3, 3, 0, 1, 7]]
                .concat();
        assert_eq!(Records::default().starts(&stream), [7, 21]);
        for cut in 1..stream.len() {
            let mut records = Records::default();
            let mut starts = records.starts(&stream[..cut]);
            starts.extend(records.starts(&stream[cut..]).into_iter().map(|at| at + cut));
            assert_eq!(starts, [7, 21], "cut at {cut}");
            assert_eq!(records.begun, 2);
        }
    }
}
