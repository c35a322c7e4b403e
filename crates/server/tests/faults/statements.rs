//! Test support: the statements of one PostgreSQL session, read from the messages of its client
//! (frontend/backend protocol 3.0).

use std::collections::HashMap;

/// Tables that the commands of clients write. The server's own transactions write others: the
/// sequencer of the event log, retention and imports.
const TABLES: [&str; 4] = ["CART_ITEMS", "ORDERS", "STOCK", "PRODUCTS"];

/// Codes of the messages without a type, before the session begins: the requests for TLS and for
/// GSSAPI encryption, which the server of the tests refuses.
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// Follows the messages of a client.
#[derive(Default)]
pub(crate) struct Statements {
    /// Bytes of the messages that are not complete.
    heard: Vec<u8>,
    /// Whether the session has begun: its messages have a type.
    has_begun: bool,
    /// The text of the prepared statements, by name.
    prepared: HashMap<String, String>,
    /// Whether the current transaction is that of a command.
    is_command: bool,
}

impl Statements {
    /// Reads the next bytes from the client.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        while let Some(message) = self.next_message() {
            self.read(&message);
        }
    }

    /// Whether the current transaction has written a row for a command of a client.
    pub(crate) fn is_command(&self) -> bool {
        self.is_command
    }

    /// The next complete message, with its type and without its length.
    fn next_message(&mut self) -> Option<Vec<u8>> {
        let typed = usize::from(self.has_begun);
        let length = self.heard.get(typed..typed + 4)?;
        let length = u32::from_be_bytes(length.try_into().unwrap());
        let end = typed + usize::try_from(length).unwrap();
        if self.heard.len() < end {
            return None;
        }
        let mut message: Vec<u8> = self.heard.drain(..end).collect();
        message.drain(typed..typed + 4);
        Some(message)
    }

    fn read(&mut self, message: &[u8]) {
        if !self.has_begun {
            let code = u32::from_be_bytes(message[..4].try_into().unwrap());
            self.has_begun = ![SSL_REQUEST, GSS_REQUEST].contains(&code);
            return;
        }
        let mut texts = message[1..].split(|byte| *byte == 0);
        let mut text = || String::from_utf8_lossy(texts.next().unwrap_or_default()).into_owned();
        match message[0] {
            // Query.
            b'Q' => self.run(&text()),
            // Parse: a name and a text.
            b'P' => {
                let name = text();
                self.prepared.insert(name, text());
            }
            // Bind: a portal and the name of a statement.
            b'B' => {
                let (_, name) = (text(), text());
                let sql = self.prepared.get(&name).cloned().unwrap_or_default();
                self.run(&sql);
            }
            _ => {}
        }
    }

    fn run(&mut self, sql: &str) {
        let sql = sql.replace('"', "").to_uppercase();
        let words = sql.split(|letter: char| letter.is_whitespace() || "();".contains(letter));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if words.first() == Some(&"BEGIN") {
            self.is_command = false;
        }
        let writes = |words: &[&str]| match words {
            ["INSERT", "INTO", table] | ["DELETE", "FROM", table] => TABLES.contains(table),
            [_, "UPDATE", table] => TABLES.contains(table),
            _ => false,
        };
        // The first word has none before it.
        let words: Vec<&str> = std::iter::once("").chain(words).collect();
        self.is_command |= words.windows(3).any(writes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, parts: &[&str]) -> Vec<u8> {
        let body: Vec<u8> = parts
            .iter()
            .flat_map(|part| [part.as_bytes(), b"\0"].concat())
            .collect();
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [kind.as_bytes(), &length, &body].concat()
    }

    fn begun() -> Statements {
        let mut statements = Statements::default();
        for code in [SSL_REQUEST, 196_608] {
            let length = 8_u32.to_be_bytes();
            statements.hear(&[length, code.to_be_bytes()].concat());
        }
        statements
    }

    #[test]
    fn a_transaction_that_writes_for_a_command_is_found() {
        for (sql, is_command) in [
            (
                "INSERT INTO cart_items (user_id) SELECT user_id FROM unnest($1)",
                true,
            ),
            (
                "WITH placed AS (INSERT INTO orders (user_id) SELECT 1) SELECT 1",
                true,
            ),
            ("UPDATE stock SET on_hand = stock.on_hand + 1", true),
            ("DELETE  FROM \"cart_items\" WHERE id = 1", true),
            ("SELECT id FROM orders FOR NO KEY UPDATE", false),
            ("INSERT INTO events (seq) SELECT 1 FROM outbox", false),
            ("DELETE FROM outbox", false),
            ("INSERT INTO order_counts (status) SELECT 1", false),
        ] {
            let mut statements = begun();
            let prepared = [
                message("Q", &["BEGIN ISOLATION LEVEL READ COMMITTED"]),
                message("P", &["one", sql, ""]),
                message("P", &["two", "SELECT 1", ""]),
                message("B", &["", "two", ""]),
            ];
            statements.hear(&prepared.concat());
            assert!(!statements.is_command(), "{sql}");
            // In two pieces.
            let bind = message("B", &["", "one", ""]);
            statements.hear(&bind[..3]);
            statements.hear(&bind[3..]);
            assert_eq!(statements.is_command(), is_command, "{sql}");
            statements.hear(&message("Q", &["COMMIT"]));
            assert_eq!(statements.is_command(), is_command, "{sql}");
            statements.hear(&message("Q", &["BEGIN"]));
            assert!(!statements.is_command(), "{sql}");
        }
    }
}
