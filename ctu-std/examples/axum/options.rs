//! The command line.

use lexopt::prelude::{Long, ValueExt};
use std::{
    error::Error,
    io::{self, Write},
};

/// The settings of the program.
pub(crate) struct Options {
    /// The port on the loopback address; 0 is a free one.
    pub(crate) port: u16,
    /// The address of a Redis server that runs already.
    pub(crate) redis: Option<String>,
    /// The requests a second of the load.
    pub(crate) rate: u32,
}

const USAGE: &str = "usage: axum [--port PORT] [--rate REQUESTS] [--redis URL]";

const HELP: &str = "
  --port PORT        the port on 127.0.0.1; 0 is a free one (default: 8080)
  --rate REQUESTS    the requests a second of the load, 0 to 10000 (default: 400)
  --redis URL        a Redis server that runs already (default: starts its own)";

const MAX_RATE: u32 = 10_000;

impl Options {
    /// The settings of the command line. Prints the help and returns `None` if `--help` is there.
    ///
    /// # Errors
    /// An argument that is unknown or has a bad value.
    pub(crate) fn from_command_line() -> Result<Option<Self>, Box<dyn Error>> {
        let mut options = Self {
            port: 8080,
            redis: None,
            rate: 400,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("port") => {
                    let port = arguments.value()?;
                    let allowed = || format!("--port {}: a number from 0 to 65535", port.display());
                    options.port = port.parse().map_err(|_| allowed())?;
                }
                Long("rate") => {
                    let rate = arguments.value()?;
                    let allowed =
                        || format!("--rate {}: a number from 0 to {MAX_RATE}", rate.display());
                    options.rate = rate.parse().map_err(|_| allowed())?;
                    if options.rate > MAX_RATE {
                        return Err(allowed().into());
                    }
                }
                Long("redis") => options.redis = Some(arguments.value()?.string()?),
                Long("help") => {
                    writeln!(io::stdout(), "{USAGE}\n{HELP}")?;
                    return Ok(None);
                }
                other => return Err(format!("{}; {USAGE}", other.unexpected()).into()),
            }
        }
        Ok(Some(options))
    }
}
