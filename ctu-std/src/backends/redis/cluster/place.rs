/// Host and port. An empty host is the host of the node that answers; port 0 is a port that the map
/// does not tell.
pub(super) type Place = (String, u16);

/// The host of a node; empty for the host of the node that answers. `None` where it is no host.
pub(super) fn read_host(text: &str) -> Option<String> {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "-_.:%".contains(char);
    (text.len() <= 255 && text.chars().all(allowed)).then(|| text.to_owned())
}
