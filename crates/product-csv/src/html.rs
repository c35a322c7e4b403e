//! Descriptions in HTML as plain text: paragraphs, lines and list items are kept, tags are dropped,
//! character references are decoded.

/// Elements after which a line ends.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "table",
    "section",
    "article",
    "blockquote",
    "pre",
    "hr",
];

/// Named character references of descriptions. Others stay unchanged.
const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("bull", "•"),
    ("middot", "·"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("deg", "°"),
    ("times", "×"),
    ("euro", "€"),
    ("pound", "£"),
    ("cent", "¢"),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("szlig", "ß"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("agrave", "à"),
    ("ccedil", "ç"),
    ("ntilde", "ñ"),
    ("shy", ""),
];

/// The plain text of HTML. Text without tags and references is returned with its white space as it
/// is.
pub(crate) fn to_text(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.trim().to_owned();
    }
    let mut out = Text::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        out.push(text);
        rest = match tag_end(tag) {
            Some((name, closing, after)) => out.tag(name, closing, after),
            None => {
                // A less-than sign of the text.
                out.push("<");
                tag.get(1..).unwrap_or_default()
            }
        };
    }
    out.push(rest);
    out.finish()
}

/// The name of the tag at the beginning, whether it closes, and the text after it.
fn tag_end(tag: &str) -> Option<(&str, bool, &str)> {
    let inner = tag.strip_prefix('<')?;
    if let Some(comment) = inner.strip_prefix("!--") {
        let after = comment.find("-->").map(|at| at.saturating_add(3));
        return Some((
            "!--",
            false,
            after.and_then(|at| comment.get(at..)).unwrap_or_default(),
        ));
    }
    let (closing, inner) = match inner.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    if !inner.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '!') {
        return None;
    }
    let name = inner.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '!');
    let name = inner.get(..name.unwrap_or(inner.len()))?;
    let mut quote = None;
    for (at, letter) in inner.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some((name, closing, inner.get(at.saturating_add(1)..)?)),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            _ => {}
        }
    }
    // Without its end it is no tag.
    None
}

#[derive(Default)]
struct Text {
    out: String,
}

impl Text {
    /// Appends text: runs of white space are one space, as a browser shows them.
    fn push(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            let (plain, reference) = rest.split_at(at);
            self.collapse(plain);
            let (decoded, after) = decode(reference);
            self.out.push_str(&decoded);
            rest = after;
        }
        self.collapse(rest);
    }

    fn collapse(&mut self, text: &str) {
        for letter in text.chars() {
            if !letter.is_whitespace() {
                self.out.push(letter);
            } else if !self.out.ends_with([' ', '\n']) && !self.out.is_empty() {
                self.out.push(' ');
            }
        }
    }

    /// Handles a tag; returns the text after it, and after the content of a script or a style.
    fn tag<'a>(&mut self, name: &str, closing: bool, after: &'a str) -> &'a str {
        let name = name.to_ascii_lowercase();
        match &*name {
            "script" | "style" if !closing => {
                let end = format!("</{name}");
                let lower = after.to_ascii_lowercase();
                return lower
                    .find(&end)
                    .and_then(|at| after.get(at..))
                    .unwrap_or_default();
            }
            "br" => self.line(1),
            "li" if !closing => {
                self.line(1);
                self.out.push_str("- ");
            }
            "tr" => self.line(1),
            "td" | "th" if closing => self.collapse(" "),
            name if BLOCKS.contains(&name) => self.line(2),
            _ => {}
        }
        after
    }

    /// Ends the line, so that at least this many line breaks follow the text.
    fn line(&mut self, breaks: usize) {
        let text = self.out.trim_end_matches(' ').len();
        self.out.truncate(text);
        let has = self
            .out
            .len()
            .saturating_sub(self.out.trim_end_matches('\n').len());
        if !self.out.is_empty() {
            let more = breaks.saturating_sub(has);
            self.out.extend(std::iter::repeat_n('\n', more));
        }
    }

    fn finish(self) -> String {
        let lines: Vec<&str> = self.out.lines().map(str::trim_end).collect();
        lines.join("\n").trim().to_owned()
    }
}

/// Decodes the character reference at the beginning; returns it and the text after it.
fn decode(text: &str) -> (String, &str) {
    let whole = || ("&".to_owned(), text.get(1..).unwrap_or_default());
    let Some((name, after)) = text.get(1..).and_then(|text| text.split_once(';')) else {
        return whole();
    };
    if let Some((_, value)) = NAMED.iter().find(|(known, _)| *known == name) {
        return ((*value).to_owned(), after);
    }
    let code = name
        .strip_prefix('#')
        .and_then(|number| match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        });
    let letter = code
        .and_then(char::from_u32)
        .filter(|letter| !letter.is_control());
    letter.map_or_else(whole, |letter| (letter.to_string(), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_is_read_as_a_browser_shows_it() {
        for (html, text) in [
            ("Plain text.", "Plain text."),
            ("  two\nlines ", "two\nlines"),
            ("<p>One</p><p>Two</p>", "One\n\nTwo"),
            (
                "<P class=\"a>b\">One</P>\n\n<div>Two <b>bold</b></div>",
                "One\n\nTwo bold",
            ),
            ("a<br>b<br/>c", "a\nb\nc"),
            (
                "<ul>\n<li>red</li>\n<li>blue</li>\n</ul>after",
                "- red\n- blue\n\nafter",
            ),
            (
                "Salt &amp; pepper &#8364; &#x41;&nbsp;&unknown; & co",
                "Salt & pepper € A &unknown; & co",
            ),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            (
                "<style>p { color: red }</style><script>alert(1)</script>x",
                "x",
            ),
            ("a<!-- note -->b", "ab"),
            ("&#0;&#xD800;", "&#0;&#xD800;"),
            ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
            ("unclosed <b", "unclosed <b"),
            ("&lt;script&gt;", "<script>"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn no_html_can_make_the_reader_panic(html in "[<>/a-c&;#x\"'! \n-]{0,40}") {
            to_text(&html);
        }
    }
}
