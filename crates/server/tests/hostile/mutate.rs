//! Mutations of a valid request.

use crate::draft::{Draft, Media};
use crate::random::Random;
use crate::roles::Role;
use crate::values::{
    ARGUMENTS, BROKEN_JSON, FRAMING, HEADERS, IDS, JSON, METHODS, PARAMETERS, PATHS, SOUND_METHODS,
};
use crate::world::World;

/// The maximum size of a request body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Mutates one part.
pub(crate) fn mutate(draft: &mut Draft, random: &mut Random, world: &World) {
    match random.below(16) {
        0 => method(draft, random),
        1 | 2 => path(draft, random),
        3..=5 => query(draft, random),
        6..=8 => header(draft, random, world),
        9 => framing(draft, random),
        10..=13 => field(draft, random),
        _ => body(draft, random),
    }
}

fn method(draft: &mut Draft, random: &mut Random) {
    let at = random.below(METHODS.len());
    METHODS[at].clone_into(&mut draft.method);
    draft.untouched = false;
    if at >= SOUND_METHODS {
        draft.refusable = true;
        draft.closes = true;
    }
}

fn path(draft: &mut Draft, random: &mut Random) {
    draft.untouched = false;
    if !draft.id.is_empty() && !random.one_in(4) {
        let id = random.pick(IDS).replace('#', &draft.id);
        draft.path = draft.path.replacen(&draft.id, &id, 1);
        return;
    }
    let bare = draft.path.trim_matches('/').to_owned();
    match random.below(12) {
        // Both forms are valid paths.
        0 | 1 => draft.path = format!("/{bare}"),
        2 => draft.path = format!("http://localhost/{bare}/"),
        3 => draft.path = draft.path.to_uppercase(),
        4 => draft.path = format!("/{bare}/{}", "a/".repeat(random.below(400))),
        5 => draft.path = format!("/{bare}{}", "a".repeat(random.below(9_000))),
        6 => {
            let raw = ["\u{e9}", "\0", " ", "\u{7f}", "<>\"{}|^`", "#a"];
            draft.path = format!("/{bare}{}/", random.pick(&raw));
            draft.refusable = true;
            draft.closes = true;
        }
        7 => {
            let targets = ["*", "", "localhost:80", "http://evil.example/api/", "?a=b"];
            random.pick(&targets).clone_into(&mut draft.path);
            draft.refusable = true;
            draft.closes = true;
        }
        _ => draft.path = random.pick(PATHS).replace('#', &bare),
    }
}

fn query(draft: &mut Draft, random: &mut Random) {
    let count = random.pick(&[1, 1, 1, 2, 2, 3]);
    for _ in 0..count {
        let name = random.pick(PARAMETERS);
        // In half of the cases, an argument that may be valid.
        let most = if random.one_in(2) {
            10
        } else {
            ARGUMENTS.len()
        };
        let argument = random.pick(&ARGUMENTS[..most]);
        let parameter = match random.below(24) {
            0 => name.to_owned(),
            1 => "&&&=&=".to_owned(),
            2 => format!("{name}={}", "%F0%9F%A6%80".repeat(random.below(500))),
            3 => format!("{name}={argument}&").repeat(random.below(200)),
            _ => format!("{name}={argument}"),
        };
        draft.query.push(parameter);
    }
}

fn header(draft: &mut Draft, random: &mut Random, world: &World) {
    // Headers with an effect are chosen more often than others.
    let decisive = ["If-Match", "If-None-Match", "Idempotency-Key"];
    let wanted = random.one_in(3).then(|| random.pick(&decisive));
    let some = HEADERS.iter().copied();
    let some = some.filter(|(name, _)| wanted.is_none_or(|wanted| *name == wanted));
    let (name, value) = random.pick(&some.collect::<Vec<_>>());
    let mut value = value.to_owned();
    // The entity tag of the path, or that of another customer's row.
    if name.starts_with("If-") && !random.one_in(4) {
        let known = world.tag(&draft.path);
        let foreign = random.pick(&[0, 1]);
        value = known.unwrap_or_else(|| world.keeper.tags[foreign].clone());
    }
    let is_text = !value.contains(|letter: char| letter.is_control() && letter != '\t');
    draft.refusable = draft.refusable || name == "Host" || !is_text;
    let header = (name.to_owned(), value);
    if random.one_in(6) {
        draft.doubled.push(header);
    } else {
        if name == "Authorization" {
            // The role's own token is not sent.
            draft.role = Role::Anonymous;
        }
        draft.headers.retain(|(other, _)| other != name);
        draft.headers.push(header);
    }
}

fn framing(draft: &mut Draft, random: &mut Random) {
    draft.refusable = true;
    draft.closes = true;
    let (name, value) = random.pick(FRAMING);
    if name == "@many" {
        let count = random.pick(&[50, 90, 120, 1_000]);
        let many = (0..count).map(|at| (format!("X-Many-{at}"), "a".to_owned()));
        return draft.headers.extend(many);
    }
    let value = match value {
        "@long" => "a".repeat(random.pick(&[1_000, 20_000, 300_000])),
        other => other.to_owned(),
    };
    draft.headers.push((name.to_owned(), value));
    if random.one_in(3) {
        draft.chunked = true;
    }
}

fn field(draft: &mut Draft, random: &mut Random) {
    let Some(fields) = &mut draft.fields else {
        // A body for a route that reads none.
        draft.fields = Some(vec![("id".to_owned(), random.pick(JSON).to_owned())]);
        return;
    };
    let at = random.below(fields.len().max(1));
    let value = random.pick(JSON).to_owned();
    match (random.below(10), fields.get_mut(at)) {
        (0, Some(_)) => drop(fields.remove(at)),
        (1, Some((name, _))) => {
            let twice = (name.clone(), value);
            fields.push(twice);
        }
        (2, Some((name, _))) => *name = name.to_uppercase(),
        (3, _) => {
            let names = [
                "id",
                "user",
                "user_id",
                "currency",
                "total_price",
                "items",
                "is_superuser",
                "session_epoch",
                "created_at",
                "__proto__",
                "",
                "\u{0}",
                "\u{1f980}",
            ];
            fields.push((random.pick(&names).to_owned(), value));
        }
        (4, Some((_, old))) => {
            let depth = random.pick(&[2, 130, 10_000]);
            *old = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        }
        (5, Some((_, old))) => {
            let length = random.pick(&[129, 201, 255, 10_001, 60_000]);
            *old = format!("\"{}\"", "\u{e9}".repeat(length / 2 + 1));
        }
        (6, Some((_, old))) => random.pick(BROKEN_JSON).clone_into(old),
        (_, Some((_, old))) => *old = value,
        (_, None) => fields.push(("x".to_owned(), value)),
    }
}

fn body(draft: &mut Draft, random: &mut Random) {
    let mut written = draft.text();
    let at = random.below(written.len().max(1));
    let byte = random.pick(&[0, 0x0a, 0x22, 0x7f, 0x80, 0xc0, 0xed, 0xff]);
    match random.below(14) {
        0 => return draft.media = Media::Form,
        1 => return draft.media = Media::Multipart,
        2 => return draft.chunked = true,
        3 => written.truncate(at),
        4 => written.insert(at.min(written.len()), byte),
        5 => written.extend(b" {}"),
        6 => drop(written.splice(0..0, *b"\xef\xbb\xbf")),
        7 => written = random.pick(JSON).as_bytes().to_vec(),
        8 => written = random.pick(BROKEN_JSON).as_bytes().to_vec(),
        9 => {
            let length = random.pick(&[MAX_BODY - 1, MAX_BODY, MAX_BODY + 1, 3 * MAX_BODY]);
            written.resize(length, b' ');
            // Rejected by its length; the server need not read it to its end.
            draft.closes = length > MAX_BODY;
        }
        10 => written = vec![byte; random.below(40)],
        11 => written = broken_multipart(draft, random),
        12 => {
            written = format!("{}1", "{\"a\":".repeat(random.pick(&[3, 200, 9_000]))).into_bytes()
        }
        _ => written = format!("[{}1]", "1,".repeat(random.below(20_000))).into_bytes(),
    }
    draft.body = Some(written);
}

fn broken_multipart(draft: &mut Draft, random: &mut Random) -> Vec<u8> {
    draft.media = Media::Multipart;
    let bodies: [&[u8]; 8] = [
        b"",
        b"--x",
        b"--x--",
        b"--x\r\n\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n\xff\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; name=\"name\"; filename=\"../a\"\r\nContent-Type: image/png\r\n\r\na\r\n--x--\r\n",
        b"--y\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na\r\n--y--\r\n",
    ];
    random.pick(&bodies).to_vec()
}
