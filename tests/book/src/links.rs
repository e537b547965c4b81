//! The links of a book lead to its files and headings.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

/// Checks the links and images of all pages of the book in `folder`. Returns the number of links.
pub(crate) fn check(folder: &Path) -> Result<usize, Box<dyn Error>> {
    let folder = &folder.canonicalize()?;
    let mut pages = BTreeMap::new();
    read(folder, &mut pages)?;
    // It stands for pages in any folder.
    pages.remove(&folder.join("404.html"));
    let (mut count, mut broken) = (0, BTreeSet::new());
    for (page, text) in &pages {
        let targets = [values(text, "href"), values(text, "src")].concat();
        for target in targets.into_iter().filter(|target| is_local(target)) {
            count += 1;
            if let Some(fault) = fault(page, target, &pages) {
                let page = page.strip_prefix(folder).unwrap_or(page);
                broken.insert(format!("{}: {target}: {fault}", page.display()));
            }
        }
    }
    if broken.is_empty() {
        return Ok(count);
    }
    let broken: Vec<_> = broken.into_iter().collect();
    Err(format!("broken links:\n{}", broken.join("\n")).into())
}

/// Reads the pages of a folder.
fn read(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, pages)?;
        } else if path.extension().is_some_and(|end| end == "html") {
            pages.insert(path.clone(), fs::read_to_string(path)?);
        }
    }
    Ok(())
}

/// The values of an attribute in a page.
fn values<'t>(page: &'t str, attribute: &str) -> Vec<&'t str> {
    let start = format!(" {attribute}=\"");
    let rests = page.split(&start).skip(1);
    rests.filter_map(|rest| rest.split('"').next()).collect()
}

fn is_local(target: &str) -> bool {
    !["http:", "https:", "mailto:", "data:", "javascript:"]
        .iter()
        .any(|scheme| target.starts_with(scheme))
}

/// The fault of a link of `page`.
fn fault(page: &Path, target: &str, pages: &BTreeMap<PathBuf, String>) -> Option<&'static str> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let mut to = match path {
        "" => page.to_owned(),
        path => page.parent()?.join(path),
    };
    if to.is_dir() {
        to.push("index.html");
    }
    let Ok(found) = to.canonicalize() else {
        return Some("there is no such file");
    };
    let text = pages.get(&found).map_or("", String::as_str);
    let is_known = anchor.is_empty() || values(text, "id").contains(&anchor);
    (!is_known).then_some("there is no such heading")
}
