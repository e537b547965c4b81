use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

/// A server that sends the same bytes on every connection, for any request, and closes it.
#[derive(Debug)]
pub struct CannedServer {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl CannedServer {
    /// Starts it on a free port. It ends on drop.
    pub fn start(answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let answer = answer.into();
        Self::serve(move |mut stream| {
            let _ = stream.write_all(&answer);
        })
    }

    /// The same, followed by zero bytes, one at a time, until the peer
    /// closes.
    pub fn dribbling(answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let answer = answer.into();
        Self::serve(move |mut stream| {
            let mut sent = stream.set_nodelay(true);
            sent = sent.and_then(|()| stream.write_all(&answer));
            while sent.is_ok() {
                sent = stream.write_all(&[0]);
            }
        })
    }

    fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let ended: Arc<AtomicBool> = Arc::default();
        let has_ended = ended.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                if has_ended.load(SeqCst) {
                    return;
                }
                let mut asked = [0; 4096];
                if stream.read(&mut asked).is_ok_and(|read| read > 0) {
                    answer(stream);
                }
            }
        });
        Ok(Self { port, ended })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for CannedServer {
    /// Wakes the thread, which takes its listener with it.
    fn drop(&mut self) {
        self.ended.store(true, SeqCst);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}
