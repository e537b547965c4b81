//! The command line of an example with one optional file.

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
};

/// The file of the command line. `None` after `--help`, which prints `usage`.
pub(crate) fn of_command_line(usage: &str) -> Result<Option<Option<PathBuf>>, Box<dyn Error>> {
    use lexopt::prelude::{Long, Value};
    let mut file = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            Long("help") => {
                writeln!(io::stdout(), "{usage}")?;
                return Ok(None);
            }
            other => return Err(format!("{}; {usage}", other.unexpected()).into()),
        }
    }
    Ok(Some(file))
}
