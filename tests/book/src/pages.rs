//! The pages of the repository as the sources of a book.
//!
//! A page in the repository has links to any file, and a page of rustdoc to items. In the book, a link leads to
//! another page or an image; any other one is plain text.

use pulldown_cmark::{Event, LinkType, Options, Parser, Tag};
use std::{
    collections::BTreeMap,
    error::Error,
    fmt::Write,
    fs,
    ops::Range,
    path::{Component, Path, PathBuf},
};

/// The pages of the book by their paths in the repository, with their titles.
type Pages = BTreeMap<PathBuf, String>;

/// Writes the sources of the book into `folder`. Returns the number of pages.
pub(crate) fn write(root: &Path, folder: &Path) -> Result<usize, Box<dyn Error>> {
    let summary = Path::new("docs/SUMMARY.md");
    let text = fs::read_to_string(root.join(summary))?;
    let mut pages = Pages::new();
    for link in links(&text) {
        pages.insert(resolved(summary, link.path()), link.text.trim().to_owned());
    }
    put(folder, summary, &rewritten(root, summary, &text, &pages)?)?;
    fs::copy(root.join("docs/book.css"), folder.join("book.css"))?;
    for (page, title) in &pages {
        let text = fs::read_to_string(root.join(page))
            .map_err(|error| format!("{}: {error}", page.display()))?;
        for link in links(&text) {
            let image = resolved(page, link.path());
            if is_image(&image) && root.join(&image).exists() {
                let to = folder.join(in_book(&image));
                fs::create_dir_all(to.parent().ok_or("no folder")?)?;
                fs::copy(root.join(&image), to)?;
            }
        }
        let mut text = rewritten(root, page, &with_languages(page, &text), &pages)?;
        if !text.starts_with("# ") {
            text.insert_str(0, &format!("# {title}\n\n"));
        }
        put(folder, page, &text)?;
    }
    Ok(pages.len())
}

fn put(folder: &Path, page: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let to = folder.join(in_book(page));
    fs::create_dir_all(to.parent().ok_or("no folder")?)?;
    Ok(fs::write(to, text)?)
}

/// The path of a file in the book: the folder `docs` is its root, and its `README.md` the first page.
fn in_book(path: &Path) -> PathBuf {
    let path = path.strip_prefix("docs").unwrap_or(path);
    match path.strip_prefix("README.md") {
        Ok(_) => "index.md".into(),
        // The book would make it the index of its folder.
        Err(_) if path.ends_with("README.md") => path.with_file_name("overview.md"),
        Err(_) => path.into(),
    }
}

fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "svg")
}

/// The path of a link of `page`, from the root of the repository.
fn resolved(page: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in page.parent().unwrap_or(page).join(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

/// The path of one file of the book as a link of another one.
fn relative(from: &Path, to: &Path) -> String {
    let depth = from.components().count() - 1;
    format!("{}{}", "../".repeat(depth), to.display())
}

/// A link in a page, or an image.
struct Link<'t> {
    /// The bytes of the whole link.
    range: Range<usize>,
    text: &'t str,
    target: &'t str,
}

impl<'t> Link<'t> {
    fn path(&self) -> &'t str {
        self.target.split('#').next().unwrap_or_default()
    }

    fn anchor(&self) -> &'t str {
        &self.target[self.path().len()..]
    }
}

/// The links and images of a page that are written as `[text](target)`.
fn links(page: &str) -> Vec<Link<'_>> {
    let events = Parser::new_ext(page, Options::ENABLE_TABLES).into_offset_iter();
    let found = events.filter_map(|(event, range)| {
        let kind = match event {
            Event::Start(Tag::Link { link_type, .. } | Tag::Image { link_type, .. }) => link_type,
            _ => return None,
        };
        let written = &page[range.clone()];
        let (text, target) = written.strip_suffix(')')?.rsplit_once("](")?;
        let text = text.trim_start_matches('!').strip_prefix('[')?;
        (kind == LinkType::Inline).then_some(Link {
            range,
            text,
            target,
        })
    });
    found.collect()
}

/// The text of a page with the links of the book.
fn rewritten(
    root: &Path,
    page: &Path,
    text: &str,
    pages: &Pages,
) -> Result<String, Box<dyn Error>> {
    let mut book = String::new();
    let mut end = 0;
    for link in links(text) {
        append(&mut book, &text[end..link.range.start]);
        end = link.range.end;
        let written = &text[link.range.clone()];
        if link.target.contains("://") || link.path().is_empty() {
            append(&mut book, written);
            continue;
        }
        let path = match link.path().strip_prefix("crate::docs::") {
            Some(module) => page_of(root, module)?,
            None => resolved(page, link.path()),
        };
        if pages.contains_key(&path) || is_image(&path) {
            let mark = if written.starts_with('!') { "!" } else { "" };
            let (label, anchor) = (link.text, link.anchor());
            let to = relative(&in_book(page), &in_book(&path));
            write!(book, "{mark}[{label}]({to}{anchor})")?;
        } else {
            append(&mut book, link.text);
        }
    }
    append(&mut book, &text[end..]);
    Ok(book)
}

/// Appends text. Code at the end joins code at the start: two backticks would be another mark.
fn append(book: &mut String, text: &str) {
    match text.strip_prefix('`') {
        Some(rest) if book.ends_with('`') => {
            book.pop();
            book.push_str(rest);
        }
        _ => book.push_str(text),
    }
}

/// The page of a module of `ctu_std::docs`.
fn page_of(root: &Path, module: &str) -> Result<PathBuf, Box<dyn Error>> {
    let source = fs::read_to_string(root.join("ctu-std/src/docs.rs"))?;
    let before = source.split(&format!("pub mod {module} ")).next();
    let file = before
        .and_then(|text| text.rsplit("../docs/").next())
        .and_then(|text| text.split('"').next());
    let file = file.ok_or_else(|| format!("no page of `{module}`"))?;
    Ok(Path::new("ctu-std/docs").join(file))
}

/// The text of a page of rustdoc with the language at each block of code. Rust is the language without one.
fn with_languages(page: &Path, text: &str) -> String {
    if page.starts_with("docs") {
        return text.to_owned();
    }
    let mut in_block = false;
    let lines = text.lines().map(|line| {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            return line.to_owned();
        };
        in_block = !in_block;
        match language {
            "" if in_block => format!("{line}rust"),
            "no_run" => line.replace("no_run", "rust,no_run"),
            _ => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(page: &str) -> Vec<(&str, &str)> {
        let links = links(page).into_iter();
        links.map(|link| (link.text, link.target)).collect()
    }

    #[test]
    fn links_outside_code_are_found() {
        let page =
            "A [b\nc](d.md#e), `[f](g)` and [`h`](i.md).\n\n```rust\n[j](k)\n```\n![l](m.svg)\n";
        assert_eq!(
            targets(page),
            [("b\nc", "d.md#e"), ("`h`", "i.md"), ("l", "m.svg")]
        );
    }

    #[test]
    fn link_of_a_page_leads_to_a_page_of_the_book_or_is_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let pages = Pages::from([
            ("docs/a/b.md".into(), String::new()),
            ("ctu-std/docs/async.md".into(), String::new()),
        ]);
        let rewrite =
            |page: &str, text: &str| rewritten(root, Path::new(page), text, &pages).unwrap();
        let text = "[1](a/b.md#c) [2](../ctu-std/docs/async.md) [3](../x.rs) [4](https://y.z) [5](#d) ![6](e/f.svg)";
        assert_eq!(
            rewrite("docs/README.md", text),
            "[1](a/b.md#c) [2](ctu-std/docs/async.md) 3 [4](https://y.z) [5](#d) ![6](e/f.svg)"
        );
        assert_eq!(
            rewrite(
                "ctu-std/docs/async.md",
                "[1](../../docs/a/b.md) [2](crate::docs::asynchronous#a) [3](crate::Cache)"
            ),
            "[1](../../a/b.md) [2](../../ctu-std/docs/async.md#a) 3"
        );
        assert_eq!(
            rewrite("docs/README.md", "[`Cache`](crate::Cache)`::new()`"),
            "`Cache::new()`"
        );
    }

    #[test]
    fn blocks_of_rustdoc_pages_have_a_language() {
        let page = Path::new("ctu-std/docs/a.md");
        let text = "```\na\n```\n```no_run\n```\n```sh\n```";
        assert_eq!(
            with_languages(page, text),
            "```rust\na\n```\n```rust,no_run\n```\n```sh\n```"
        );
    }
}
