#!/usr/bin/env python3
"""A second opinion on bundles, written from their README.txt alone.

    verify.py BUNDLE.zip KEYFILE [OLDER-CHECKPOINT]

Needs Python 3.8 and nothing else. Prints what it found wrong, a line each; the
exit status is 0 if all holds.
"""
import base64, datetime, functools, hashlib, json, re, struct, sys, zlib

wrong = []
MAX = 0xFFFFFFFF
SMALL = 1 << 20
FILES = {  # and how many bytes they may have
    "manifest.json": SMALL, "events.ndjson": None, "checkpoint": SMALL, "range.json": SMALL, "consistency.json": 64 << 20,
    "keys": SMALL, "policies.json": SMALL, "report.html": 16 << 20, "events.csv": None, "README.txt": SMALL, "index": None,
}


def check(ok, what):
    if not ok:
        wrong.append(what)
    return ok


def sha(b):
    return hashlib.sha256(b).digest()


def part(z, at, want):  # whether something stands at a place, and where it ends
    return z[at:at + len(want)] == want, at + len(want)


def unzip(z):
    """The files of a zip. There is one way to write it, so it is written again and compared."""
    count, size, place = struct.unpack("<HII", z[-12:-2])
    if place == MAX:
        count, size, place = struct.unpack("<3Q", z[-98 + 32:-98 + 56])
    rest, files, at, listed = z[place:place + size], {}, 0, b""
    for _ in range(count):
        made, needs, flags, method, when, day, crc, packed, whole, named, extra, _, _, _, outer, _ = struct.unpack("<6H3I5H2I", rest[4:46])
        name, field, rest = rest[46:46 + named], rest[46 + named:46 + named + extra], rest[46 + named + extra:]
        time = field[:9] if field[:5] == b"UT\5\0\1" else b""
        if len(field) == len(time) + 28:
            whole, packed = struct.unpack("<2Q", field[len(time) + 4:len(time) + 20])
        large = whole >= MAX or packed >= MAX
        wide = large or at >= MAX
        sizes, behind = struct.pack("<3I", crc, min(packed, MAX), min(whole, MAX)), b""
        if flags == 8:
            behind = b"PK\7\x08" + (struct.pack("<I2Q", crc, packed, whole) if large else sizes)
            sizes = bytes(12)
        said = struct.pack("<4H", flags, method, when, day)
        start, where = z[at:at + 4] == b"PK\3\4", at
        ok, at = part(z, at + 6, said + sizes + struct.pack("<2H", named, len(time)) + name + time)
        content, at = z[at:at + packed], at + packed
        then, at = part(z, at, behind)
        name = name.decode("latin-1")
        check(start and ok and then and len(content) == packed, "zip: what is around %r" % name)
        check(flags in (0, 8) and method in (0, 8), "zip: flags or method of %r" % name)
        more = struct.pack("<2H3Q", 1, 24, whole, packed, where) if wide else b""
        listed += b"PK\1\2" + struct.pack("<2H", made, needs) + said + struct.pack("<3I", crc, MAX if wide else packed, MAX if wide else whole)
        listed += struct.pack("<5H2I", named, len(time + more), 0, 0, 0, outer, min(where, MAX)) + name.encode("latin-1") + time + more
        if not check(name in FILES and name not in files and whole <= (FILES[name] or whole), "zip: %r is there twice, too large or belongs into no bundle" % name):
            continue
        if method == 8:
            d = zlib.decompressobj(-15)
            content = d.decompress(content) + d.flush()
            check(d.eof and not d.unused_data, "zip: how %r is packed" % name)
        check(len(content) == whole and zlib.crc32(content) == crc, "zip: size or checksum of %r" % name)
        files[name] = content
    size = len(listed)
    end = struct.pack("<2H2I", count & 0xFFFF, count & 0xFFFF, size, min(at, MAX))
    if at >= MAX:
        listed += b"PK\6\6" + struct.pack("<Q2H2I4Q", 44, 45, 45, 0, 0, count, count, size, at) + b"PK\6\7" + struct.pack("<IQI", 0, at + size, 1)
        end = struct.pack("<2H2I", 0xFFFF, 0xFFFF, MAX, MAX)
    check(z[at:] == listed + b"PK\5\6" + bytes(4) + end + bytes(2), "zip: its directory, or something beside it")
    check(set(files) | {"index"} == set(FILES), "zip: files are missing")
    check(len(files["events.csv"]) <= 4 * len(files["events.ndjson"]) + (256 << 10), "zip: the table is too large")
    return files


def canonical(value):  # RFC 8785, for the kinds of values that are in a bundle
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def once(members):
    check(len(dict(members)) == len(members), "a member is there twice")
    return dict(members)


def read(b, shape, name):
    """JSON of a shape: the members in their order, each of a type or in turn a shape."""
    value = json.loads(b.decode(), object_pairs_hook=once)
    space = re.sub(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', lambda m: m[1] or b"", b)
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    check(space == plain.encode(), "%s: written otherwise" % name)

    def fits(v, s):
        if isinstance(s, dict):
            return type(v) is dict and list(v) == list(s) and all(fits(v[k], s[k]) for k in s)
        if isinstance(s, list):
            return type(v) is list and all(fits(x, s[0]) for x in v)
        if s is int:
            return type(v) is int and -(1 << 63) <= v < 1 << 63
        return s(v) if callable(s) and s is not str else type(v) is str

    check(fits(value, shape), "%s: its members" % name)
    return value


def moment(s):  # nanoseconds since the year 1 of a time in the one form that it has
    m = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{0,8}[1-9]))?Z", s, re.ASCII)
    if not m:
        raise ValueError("no time: %r" % s)
    year = int(m[1][:4])
    at = datetime.datetime.fromisoformat(("%04d" % (year or 4)) + m[1][4:])  # there is no year 0 here; 4 is as long
    days = at.toordinal() - (0 if year else 4 * 365 + 1 + 0)
    return (days * 86400 + at.hour * 3600 + at.minute * 60 + at.second) * 10**9 + int((m[2] or "0").ljust(9, "0"))


def time(v):
    try:
        return type(v) is str and moment(v) is not None
    except ValueError:
        return False


def digest(v):
    try:
        raw = base64.b64decode(v, validate=True)
        return len(raw) == 32 and base64.b64encode(raw).decode() == v
    except Exception:
        return False


def fully(v):  # an object from names to texts, in the order of the names
    return type(v) is dict and list(v) == sorted(v) and all(type(x) is str for x in v.values())


MANIFEST = {
    "format": int, "origin": str, "store": str, "from": int, "to": int, "size": int, "events": int, "expired": int,
    "first": time, "last": time, "made": time, "version": str, "language": str, "views": fully,
}
POLICY = {"policy": str, "events": int, "firstPosition": int, "lastPosition": int, "first": time, "last": time}

# Ed25519 as in RFC 8032, section 6; slow and plain.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def recover(y, sign):
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - x2) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point(b):
    y = int.from_bytes(b, "little")
    x = recover(y & (1 << 255) - 1, y >> 255)
    return None if x is None else (x, y & (1 << 255) - 1, 1, x * (y & (1 << 255) - 1) % P)


def plus(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = plus(q, p)
        p, n = plus(p, p), n >> 1
    return q


GY = 4 * pow(5, P - 2, P) % P
G = (recover(GY, 0), GY, 1, recover(GY, 0) * GY % P)


@functools.lru_cache(None)
def ed25519(key, message, sig):
    a, r, s = point(key), point(sig[:32]), int.from_bytes(sig[32:], "little")
    if a is None or r is None or s >= L or len(sig) != 64:
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % L
    x, y = times(s, G), plus(r, times(k, a))
    return not ((x[0] * y[2] - y[0] * x[2]) % P or (x[1] * y[2] - y[1] * x[2]) % P)


def key_of(text):
    """The name, hash and bytes of a verifier key."""
    name, given, rest = text.split("+", 2)
    raw = base64.b64decode(rest, validate=True)
    if base64.b64encode(raw).decode() != rest or not re.fullmatch("[0-9A-Fa-f]{8}", given) or not name or re.search(r"\s", name):
        raise ValueError("no key: %r" % text)
    if raw[:1] not in (b"\1", b"\4") or len(raw) != 33 or sha(name.encode() + b"\n" + raw)[:4] != bytes.fromhex(given):
        raise ValueError("no key: %r" % text)
    return name, bytes.fromhex(given), raw


def opened(note, keys):
    """The lines of a checkpoint, and whether the log has signed it, and nobody falsely."""
    text, signed = note.decode(), False
    text, gap, sigs = text.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    index, when = lines[3].split(" "), lines[4].split(" ")
    good = len(note) <= 64 << 10 and gap and len(lines) == 6 and sigs.endswith("\n") and not re.search("[\0-\x09\x0b-\x1f]", note.decode())
    good = good and re.fullmatch("0|[1-9][0-9]*", lines[1]) and int(lines[1]) < 1 << 53 and digest(lines[2])
    good = good and index[0] == "index" and digest(index[1]) and when[0] == "time" and time(when[1]) and "." not in when[1]
    sigs, seen = sigs.split("\n")[:-1], set()
    if not check(good and 0 < len(sigs) <= 100, "something is no checkpoint"):
        return lines, False
    for line in sigs:
        dash, name, b64 = line.split(" ")
        sig = base64.b64decode(b64, validate=True)
        if not check(dash == "\u2014" and len(sig) > 4, "something is no checkpoint"):
            return lines, False
        if (name, sig[:4]) in seen:
            continue
        seen.add((name, sig[:4]))
        for key_name, given, raw in keys:
            if key_name != name or given != sig[:4]:
                continue
            if raw[0] == 1:
                good = ed25519(raw[1:], text.encode(), sig[4:])
                signed = signed or good and name == lines[0]
            else:
                at = int.from_bytes(sig[4:12], "big")
                good = at < 253402300800 and ed25519(raw[1:], b"cosignature/v1\ntime %d\n" % at + text.encode(), sig[12:])
            if not check(good, "a signature of %s is false" % name):
                return lines, False
    return lines, check(signed, "the checkpoint of %s leaves is not signed by the log" % lines[1])


def indexed(line):  # what the index has to say of an event
    days = (moment(line["time"]) // 10**9 - EPOCH) // 86400
    return line["position"], max(0, days), int(line["stream"].startswith("login-"))


EPOCH = moment("1970-01-01T00:00:00Z") // 10**9


def policy_of(raw):
    """What metadata name as policy."""
    try:
        def refuse(s):
            raise ValueError(s)

        text, depth, deepest = raw.decode(), 0, 0
        for c in re.sub(r'"(?:[^"\\]|\\.)*"', "", text, flags=re.S):
            depth += (c in "{[") - (c in "}]")
            deepest = max(deepest, depth)
        if deepest > 100:
            return None
        value = json.loads(text, parse_constant=refuse, parse_int=lambda s: 0)
        policy = value["policy"] if type(value) is dict else None
        if type(policy) is str and 1 <= len(policy.encode()) <= 200 and "\ufffd" not in policy:
            return policy
    except (ValueError, KeyError):
        pass
    return None


def level(lo, hi):
    n = 0
    while lo % (2 << n) == 0 and lo + (2 << n) <= hi:
        n += 1
    return n


def node(a, b):
    return sha(b"\x01" + a + b)


def consistent(m, old, n, new, proof):  # RFC 9162, 2.1.4.2
    if m == n:
        return old == new and not proof
    if m == 0 or m > n or not proof:
        return False
    proof = ([old] if m & (m - 1) == 0 else []) + proof
    fn, sn = m - 1, n - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old and sr == new


EVENT = {"id": str, "leaf": int, "position": int, "revision": int, "store": str, "stream": str, "time": time, "type": str}
HEX = re.compile("[0-9a-f]{64}")
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Leaves:
    """The lines of events.ndjson, and what is counted of them."""

    def __init__(self, m, index):
        self.m, self.index, self.number, self.last = m, index, m["from"], 0
        self.events, self.expired, self.first, self.latest, self.policies = 0, 0, None, None, {}

    def add(self, raw):
        line = json.loads(raw.decode(), object_pairs_hook=once)
        n, index = self.number, self.index
        check(len(raw) < 16 << 20 and canonical(line) == raw and line["leaf"] == n and n < self.m["to"], "leaf %d: another line stands there" % n)
        for k in "leaf", "position", "revision":
            check(type(line.get(k, 0)) is int and 0 <= line.get(k, 0) < 1 << 53, "leaf %d: %s" % (n, k))
        entry = struct.unpack(">QII", index[16 * n:16 * n + 16]) if index is not None else None
        self.number += 1
        if "checkpoint" in line:
            check(n == 0 and list(line) == ["checkpoint", "leaf"] and 1 <= len(line["checkpoint"].encode()) <= 64 << 10, "leaf %d: a checkpoint" % n)
            check(entry is None or entry[0] == 0 and entry[2] == 2, "leaf %d: the index of a checkpoint" % n)
            return sha(b"\x00" + canonical({"checkpoint": line["checkpoint"]}))
        check(line["position"] > self.last, "leaf %d: out of place" % n)
        self.last = line["position"]
        if "expired" in line:
            check(list(line) == ["day", "expired", "hash", "leaf", "position"] and line["expired"] is True and HEX.fullmatch(line["hash"]), "leaf %d: its members" % n)
            days = (datetime.date.fromisoformat(line["day"]) - datetime.date(1970, 1, 1)).days
            check(len(line["day"]) == 10 and entry == (line["position"], days, 1), "leaf %d: nothing says that it may expire" % n)
            self.expired += 1
            return bytes.fromhex(line["hash"])
        self.event(n, line, entry)
        return sha(b"\x00" + canonical({k: line[k] for k in "data id metadata position revision store stream time type".split()}))

    def event(self, n, line, entry):
        told = {}
        for name in "data", "metadata":
            if name + "Text" in line:
                told[name] = line[name + "Text"].encode()
            else:
                told[name] = base64.b64decode(line[name + "Base64"], validate=True)
                try:
                    told[name].decode()
                    check(False, "leaf %d: %s is text" % (n, name))
                except UnicodeDecodeError:
                    check(base64.b64encode(told[name]).decode() == line[name + "Base64"], "leaf %d: %s in base64" % (n, name))
            check(sha(told[name]).hex() == line[name], "leaf %d: %s is not what was recorded" % (n, name))
        check(len(line) == 12 and all(k in line for k in EVENT) and all(type(line[k]) is str for k in ("id", "store", "stream", "type")), "leaf %d: its members" % n)
        check(UUID.fullmatch(line["id"]), "leaf %d: its id" % n)
        check(line["store"] == self.m["store"] and (entry is None or entry == indexed(line)), "leaf %d: of another log, or index" % n)
        at, self.events = moment(line["time"]), self.events + 1
        self.first = at if self.first is None else min(self.first, at)
        self.latest = at if self.latest is None else max(self.latest, at)
        policy = policy_of(told["metadata"])
        if policy is not None:
            if policy not in self.policies and len(self.policies) < 100:
                self.policies[policy] = [0, line["position"], 0, line["time"], ""]
            if policy in self.policies:
                p = self.policies[policy]
                p[0], p[2], p[4] = p[0] + 1, line["position"], line["time"]

    def counted(self, files):
        m = self.m
        year1 = moment("0001-01-01T00:00:00Z")
        check(self.number == m["to"] and self.events == m["events"] and self.expired == m["expired"], "there are not as many leaves as the manifest says")
        check((self.first if self.events else year1) == moment(m["first"]) and (self.latest if self.events else year1) == moment(m["last"]), "the manifest has other times")
        said = [tuple(p.values()) for p in read(files["policies.json"], [POLICY], "policies.json")]
        check(said == [(k, *p) for k, p in self.policies.items()], "the policies are others")


def top(stack):
    h = stack[-1][1]
    for _, left in reversed(stack[:-1]):
        h = node(left, h)
    return h


def tree(m, leaves, root, hashes):
    """Whether the leaves lead to the root; and the roots on the way."""
    stack, roots = [], {}

    def add(n, h):
        while stack and stack[-1][0] == n:
            h, n = node(stack.pop()[1], h), n + 1
        stack.append((n, h))

    def fill(lo, hi):
        while lo < hi:
            n = level(lo, hi)
            add(n, hashes.pop(0))
            lo += 1 << n

    fill(0, m["from"])
    if stack:
        roots[m["from"]] = top(stack)
    for i, leaf in enumerate(leaves):
        add(0, leaf)
        roots[m["from"] + i + 1] = top(stack)
    fill(m["to"], m["size"])
    check(not hashes and top(stack) == root, "the leaves do not lead to the root")
    return roots


def main(path, key_file, since=None):
    files = unzip(open(path, "rb").read())
    m = read(files["manifest.json"], MANIFEST, "manifest.json")
    check(m["format"] == 1 and 0 <= m["from"] < m["to"] <= m["size"] < 1 << 53, "the manifest")
    trusted = open(key_file).read().split()
    keys = [key_of(k) for k in trusted]
    named = files["keys"].decode().split("\n")
    own = [k for k in named[:-1] if key_of(k)[0] == m["origin"]]
    check(named[-1] == "" and 1 < len(named) <= 101 and own and all(k in trusted for k in own), "keys: another key of the log")
    held, _ = opened(files["checkpoint"], keys)
    size, root = int(held[1]), base64.b64decode(held[2])
    check([m["origin"], "keydesk/" + m["store"], m["size"]] == [held[0], "/".join(held[0].split("/")[:2]), size], "the manifest is of another tree")
    index = files.get("index")

    def grown(c):  # the index, since an older checkpoint
        check(index is None or base64.b64encode(sha(index[:16 * int(c[1])])).decode() == c[3].split(" ")[1], "index: not what it was in the checkpoint of %s leaves" % c[1])

    check(index is None or len(index) == 16 * size, "index: its size")
    grown(held)
    lines, leaves = files["events.ndjson"].split(b"\n"), Leaves(m, index)
    check(lines[-1] == b"", "the last line does not end")
    hashes = [leaves.add(raw) for raw in lines[:-1]]
    leaves.counted(files)
    roots = tree(m, hashes, root, [base64.b64decode(h) for h in read(files["range.json"], [digest], "range.json")])

    def same(c):
        return c[0] == held[0] and (int(c[1]) != size or c[3] == held[3])

    consistency = read(files["consistency.json"], [{"note": str, "proof": [digest]}], "consistency.json")
    check(len(consistency) <= 50000, "consistency.json: too many")
    for e in consistency:
        c, signed = opened(e["note"].encode(), keys)
        ok = same(c) and consistent(int(c[1]), base64.b64decode(c[2]), size, root, [base64.b64decode(h) for h in e["proof"]])
        if check(ok, "the checkpoint of %s leaves is of another history" % c[1]) and signed:
            roots.setdefault(int(c[1]), base64.b64decode(c[2]))
        grown(c)
    if since:
        c, _ = opened(open(since, "rb").read(), keys)
        roots[size] = root
        check(same(c) and (c[1] == "0" or roots.get(int(c[1])) == base64.b64decode(c[2])), "the older checkpoint is of another history")
        grown(c)
    views = {name: sha(files[name]).hex() for name in ("README.txt", "events.csv", "report.html")}
    check(m["views"] == views, "what is for people is not what was exported")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as e:
        wrong.append("%s: %s" % (type(e).__name__, e))
    print("\n".join(dict.fromkeys(wrong)))
    sys.exit(1 if wrong else 0)
