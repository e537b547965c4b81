use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

/// A program that answers every connection with the same bytes, whatever it is asked, and closes it.
#[derive(Debug)]
pub struct Parrot {
    port: u16,
}

impl Parrot {
    /// Starts it on a free port. It ends with the test program.
    pub fn start(answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let answer = answer.into();
        Self::serve(move |mut stream| {
            let _ = stream.write_all(&answer);
        })
    }

    /// The same, but after its answer it goes on with a zero byte every few milliseconds.
    pub fn dribbling(answer: impl Into<Vec<u8>>) -> io::Result<Self> {
        let answer = answer.into();
        Self::serve(move |mut stream| {
            let mut sent = stream.write_all(&answer);
            while sent.is_ok() {
                thread::sleep(Duration::from_millis(5));
                sent = stream.write_all(&[0]);
            }
        })
    }

    fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut asked = [0; 4096];
                if stream.read(&mut asked).is_ok_and(|read| read > 0) {
                    answer(stream);
                }
            }
        });
        Ok(Self { port })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}
