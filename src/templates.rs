//! The texts of pages and mails: embedded, and replaced one by one from a directory without compiling anew.
//!
//! Owns: loading, overriding, filters. Does not own: what a page tells (`pages`). Undefined values are errors, `.html`
//! is escaped, `.txt` is not.

use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

use minijinja::{
    AutoEscape, Environment, ErrorKind, HtmlEscape, UndefinedBehavior, Value,
    value::{Kwargs, Serde},
};
use serde::Serialize;

use crate::domain::money::grouped;

/// The stylesheet, served at `/assets/seatkey.css`.
pub const STYLESHEET: &str = include_str!("../templates/assets/seatkey.css");
/// The script, served at `/assets/seatkey.js`.
pub const SCRIPT: &str = include_str!("../templates/assets/seatkey.js");

/// The console's stylesheet, which goes on from the other one; served at `/assets/console.css`.
pub const CONSOLE_STYLESHEET: &str = include_str!("../templates/assets/console.css");
/// The console's script, served at `/assets/console.js`.
pub const CONSOLE_SCRIPT: &str = include_str!("../templates/assets/console.js");

/// The width of plain-text mails.
const TEXT_WIDTH: usize = 72;

/// What is wrong with a template, by its name.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The directory or a file of it cannot be read.
    #[error("the template override \"{}\" cannot be read: {source}", path.display())]
    Unreadable {
        /// What was read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that replaces nothing: most likely a misspelt name.
    #[error("\"{name}\" in the directory of template overrides replaces nothing; there is no template of that name")]
    Unknown {
        /// The path within the directory.
        name: String,
    },
    /// The template's text is not well-formed.
    #[error("the template \"{name}\" cannot be read: {source:#}")]
    Malformed {
        /// The template.
        name: String,
        /// Where and why.
        source: Box<minijinja::Error>,
    },
    /// The template asks for something that the page does not tell.
    #[error("the template \"{name}\" cannot be rendered: {source:#}")]
    Unrenderable {
        /// The template.
        name: String,
        /// Where and why.
        source: Box<minijinja::Error>,
    },
    /// No page has samples for it, so nobody knows whether it works.
    #[error("the template \"{name}\" has no samples to be tried with")]
    Untried {
        /// The template.
        name: String,
    },
}

/// Every template, ready to be rendered.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// The embedded templates, each replaced by the file of the same relative path in `overrides`, where there is one.
    ///
    /// # Errors
    /// Names the file that cannot be read, is not well-formed, or replaces nothing.
    pub fn load(overrides: Option<&Path>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(
            |name| {
                if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
            },
        );
        environment.add_filter("money", |plain: Cow<'_, str>| grouped(&plain));
        environment.add_filter("prose", |marked: &str| Value::from_safe_string(prose(marked)));
        environment.add_filter("wrap", wrap_filter);
        environment.add_filter("leader", leader);
        embed(&mut environment);
        if let Some(directory) = overrides {
            replace(&mut environment, directory)?;
        }
        Ok(Self(environment))
    }

    /// The names of all templates.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.templates().map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names
    }

    /// Fills in a template.
    ///
    /// # Errors
    /// Names the template that does not exist or cannot be rendered with this context.
    pub fn render(&self, name: &str, context: &impl Serialize) -> Result<String, TemplateError> {
        let template = self.0.get_template(name);
        template.and_then(|template| template.render(Serde(context))).map_err(|source| TemplateError::Unrenderable {
            name: culprit(&source).unwrap_or(name).to_owned(),
            source: Box::new(source),
        })
    }
}

/// The innermost template that an error is about: included and imported ones hide behind the one that asked for them.
fn culprit(error: &minijinja::Error) -> Option<&str> {
    let inner = std::error::Error::source(error).and_then(|source| source.downcast_ref::<minijinja::Error>());
    inner.and_then(culprit).or_else(|| error.name())
}

#[expect(clippy::expect_used, reason = "written by minijinja-embed; a malformed text of ours fails the first test")]
fn embed(environment: &mut Environment<'static>) {
    let mut environment = environment;
    minijinja_embed::load_templates!(&mut environment);
}

/// Replaces templates by the files of a directory.
fn replace(environment: &mut Environment<'static>, directory: &Path) -> Result<(), TemplateError> {
    for path in files_below(directory)? {
        let relative = path.strip_prefix(directory).unwrap_or(&path);
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        let name = parts.join("/");
        if environment.get_template(&name).is_err() && !is_translation(environment, directory, &name) {
            return Err(TemplateError::Unknown { name });
        }
        let text = fs::read_to_string(&path).map_err(|source| TemplateError::Unreadable { path, source })?;
        let added = environment.add_template_owned(name.clone(), text);
        added.map_err(|source| TemplateError::Malformed { name, source: Box::new(source) })?;
    }
    Ok(())
}

/// Whether a file says in another language what an English one says (`mail/fr/welcome/subject.txt`). A language is there
/// when its `words.txt` is.
fn is_translation(environment: &Environment<'static>, directory: &Path, name: &str) -> bool {
    name.strip_prefix("mail/").and_then(|rest| rest.split_once('/')).is_some_and(|(language, file)| {
        environment.get_template(&format!("mail/en/{file}")).is_ok()
            && directory.join("mail").join(language).join("words.txt").is_file()
    })
}

/// Every file below a directory, in the order of the names; hidden ones (a mounted volume has some) are passed over.
fn files_below(directory: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let unreadable = |source| TemplateError::Unreadable { path: directory.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() { found.extend(files_below(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

/// A text as it stands in HTML.
pub(crate) fn escaped(text: &str) -> HtmlEscape<'_> {
    HtmlEscape(text)
}

/// `{{ sentence|prose }}`: escaped HTML; what stands between `**` is strong.
fn prose(marked: &str) -> String {
    let run = |(index, text): (usize, &str)| match (text, index % 2) {
        ("", _) => String::new(),
        (text, 0) => escaped(text).to_string(),
        (text, _) => format!("<b>{}</b>", escaped(text)),
    };
    marked.split("**").enumerate().map(run).collect()
}

/// `{% filter wrap %}…{% endfilter %}`: one paragraph in lines of 72 columns. `hang` indents the lines after the first,
/// `label` stands before the first, in the indented columns.
#[expect(clippy::needless_pass_by_value, reason = "filters take their named arguments by value")]
fn wrap_filter(text: &str, options: Kwargs) -> Result<String, minijinja::Error> {
    let hang = options.get::<Option<usize>>("hang")?.unwrap_or(0);
    let label = options.get::<Option<String>>("label")?.unwrap_or_default();
    options.assert_all_used()?;
    Ok(wrap(text, &label, hang))
}

fn wrap(text: &str, label: &str, hang: usize) -> String {
    let mut out = label.to_owned();
    let mut column = label.chars().count();
    if !label.is_empty() {
        // A label wider than its columns stands in a line of its own.
        let gap = hang.checked_sub(column).filter(|gap| *gap > 0);
        out.push_str(&gap.map_or_else(|| format!("\n{}", " ".repeat(hang)), |gap| " ".repeat(gap)));
        column = hang;
    }
    let mut start_of_line = true;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if !start_of_line && column + 1 + width > TEXT_WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(hang));
            column = hang;
        } else if !start_of_line {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        start_of_line = false;
    }
    out
}

/// `{{ "KONNEKT 250"|leader("3,300.00") }}`: the second at the right edge of a plain-text line.
fn leader(left: &str, right: &str) -> Result<String, minijinja::Error> {
    let used = left.chars().count() + right.chars().count();
    let gap = TEXT_WIDTH.checked_sub(used).filter(|gap| *gap > 0);
    // Too long for one line: the figure stands alone in the next one.
    let Some(gap) = gap else {
        let indent = TEXT_WIDTH
            .checked_sub(right.chars().count())
            .ok_or_else(|| minijinja::Error::new(ErrorKind::InvalidOperation, "the right part is wider than a line"))?;
        return Ok(format!("{left}\n{}{right}", " ".repeat(indent)));
    };
    Ok(format!("{left}{}{right}", " ".repeat(gap)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_wrap_at_72_columns_and_hang() {
        let text = wrap(&"word ".repeat(40), "1.", 3);
        assert!(text.starts_with("1. word"));
        assert!(text.lines().all(|line| line.chars().count() <= TEXT_WIDTH), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with("   word")), "{text}");
        assert_eq!(wrap("a  b\n c", "", 0), "a b c");
    }

    #[test]
    fn figures_stand_at_the_right_edge() {
        assert_eq!(leader("Fee", "1.00").unwrap().chars().count(), TEXT_WIDTH);
        assert_eq!(leader(&"x".repeat(80), "1.00").unwrap().lines().count(), 2);
    }
}
