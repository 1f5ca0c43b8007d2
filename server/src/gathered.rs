//! Writes of a connection, gathered: answers that come about at once, as those of a batch do, leave in one write.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is gathered at most: some forty answers.
const MOST_BYTES: usize = 32 << 10;

/// A stream whose writes wait until its task has had one more turn, behind everything else that could run: each write to
/// a socket costs as much as deciding a sale, and a batch answers hundreds of callers of few connections.
pub struct Gathered<T> {
    stream: T,
    /// What is not written yet, from `written` on.
    waiting: Vec<u8>,
    written: usize,
    /// Whether the others have had their turn.
    has_yielded: bool,
}

impl<T: AsyncWrite + Unpin> Gathered<T> {
    /// Gathers what is written to a stream.
    pub fn new(stream: T) -> Self {
        Self {
            stream,
            waiting: Vec::new(),
            written: 0,
            has_yielded: false,
        }
    }

    /// Writes what waits.
    fn poll_send(&mut self, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(task, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        // Given back: most connections are silent most of the time.
        self.waiting = Vec::new();
        self.written = 0;
        self.has_yielded = false;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Gathered<T> {
    fn poll_read(mut self: Pin<&mut Self>, task: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(task, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Gathered<T> {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(task, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        task: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.waiting.len() >= MOST_BYTES {
            ready!(self.poll_send(task))?;
        }
        let mut taken = 0;
        for part in parts {
            let room = MOST_BYTES.saturating_sub(self.waiting.len());
            let fitting = part.get(..room).unwrap_or(part);
            self.waiting.extend_from_slice(fitting);
            taken += fitting.len();
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.waiting.is_empty() && !self.has_yielded {
            self.has_yielded = true;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        ready!(self.poll_send(task))?;
        Pin::new(&mut self.stream).poll_flush(task)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(task))?;
        Pin::new(&mut self.stream).poll_shutdown(task)
    }
}

impl<T> std::fmt::Debug for Gathered<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Gathered")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A stream that takes a few bytes at a time, and counts.
    struct Slow {
        taken: Vec<u8>,
        writes: usize,
        is_ready: bool,
        most: usize,
    }

    impl AsyncWrite for Slow {
        fn poll_write(mut self: Pin<&mut Self>, task: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.is_ready = !self.is_ready;
            if !self.is_ready {
                task.waker().wake_by_ref();
                return Poll::Pending;
            }
            let count = bytes.len().min(self.most);
            self.taken.extend_from_slice(&bytes[..count]);
            self.writes += 1;
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn slow(most: usize) -> Gathered<Slow> {
        Gathered::new(Slow {
            taken: Vec::new(),
            writes: 0,
            is_ready: true,
            most,
        })
    }

    #[tokio::test]
    async fn what_is_written_before_a_flush_leaves_in_one_write() {
        let mut stream = slow(usize::MAX);

        for _ in 0..10 {
            stream.write_all(b"answer").await.unwrap();
        }
        assert_eq!(stream.stream.writes, 0);
        stream.flush().await.unwrap();

        assert_eq!(stream.stream.writes, 1);
        assert_eq!(stream.stream.taken, b"answer".repeat(10));
        assert_eq!(stream.waiting.capacity(), 0);
    }

    #[tokio::test]
    async fn a_stream_that_takes_little_gets_everything_in_order() {
        let mut stream = slow(1_000);
        let bytes: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();

        for piece in bytes.chunks(40_001) {
            stream.write_all(piece).await.unwrap();
            assert!(stream.waiting.len() <= MOST_BYTES);
        }
        stream.shutdown().await.unwrap();

        assert_eq!(stream.stream.taken, bytes);
    }

    #[tokio::test]
    async fn nobody_waits_for_what_was_flushed() {
        let (here, mut there) = tokio::io::duplex(64);
        let mut stream = Gathered::new(here);

        let sends = tokio::spawn(async move {
            for word in [&b"one"[..], b"two"] {
                stream.write_all(word).await.unwrap();
                stream.flush().await.unwrap();
            }
            stream
        });

        let mut heard = [0; 6];
        there.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"onetwo");
        drop(sends.await.unwrap());
    }
}
