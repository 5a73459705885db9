#!/usr/bin/env python3
"""A second opinion on bundles, written from their README.txt alone.

    verify.py BUNDLE.zip KEYFILE [OLDER-CHECKPOINT]

Needs Python 3.8 and nothing else. Prints what it found wrong, a line each; the
exit status is 0 if all holds.
"""
import base64, datetime, hashlib, json, struct, sys, zipfile

wrong = []


def sha(b):
    return hashlib.sha256(b).digest()


def read(text):
    def once(members):
        if len(dict(members)) != len(members):
            wrong.append("a member is there twice")
        return dict(members)

    return json.loads(text, object_pairs_hook=once)


def canonical(value):  # RFC 8785, for the kinds of values that are in a line
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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


def ed25519(key, message, sig):
    a, r, s = point(key), point(sig[:32]), int.from_bytes(sig[32:], "little")
    if a is None or r is None or s >= L or len(sig) != 64:
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % L
    x, y = times(s, G), plus(r, times(k, a))
    return not ((x[0] * y[2] - y[0] * x[2]) % P or (x[1] * y[2] - y[1] * x[2]) % P)


def opened(note, keys):
    """The lines of a checkpoint, and whether the log has signed it."""
    text, _, sigs = note.decode().rpartition("\n\n")
    text += "\n"
    lines, signed = text.split("\n"), False
    for line in sigs.splitlines():
        _, name, b64 = line.split(" ")
        sig = base64.b64decode(b64, validate=True)
        for key in keys:
            key_name, key_hash, key64 = key.split("+", 2)
            raw = base64.b64decode(key64, validate=True)
            if key_name != name or bytes.fromhex(key_hash) != sig[:4]:
                continue
            if raw[0] == 1:
                good = ed25519(raw[1:], text.encode(), sig[4:])
                signed |= good and name == lines[0]
            else:
                at = struct.unpack(">Q", sig[4:12])[0]
                good = at < 253402300800 and ed25519(raw[1:], b"cosignature/v1\ntime %d\n" % at + text.encode(), sig[12:])
            if not good:
                wrong.append("a signature of %s is false" % name)
    if not signed:
        wrong.append("the checkpoint of %s leaves is not signed by the log" % lines[1])
    return lines


def indexed(line):  # what the index has to say of an event
    day = (datetime.date.fromisoformat(line["time"][:10]) - datetime.date(1970, 1, 1)).days
    return line["position"], max(0, day), int(line["stream"].startswith("login-"))


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


def main(path, key_file, since=None):
    z = zipfile.ZipFile(path)
    if len(set(z.namelist())) != len(z.namelist()):
        wrong.append("a file is there twice")
    m = read(z.read("manifest.json"))
    keys = open(key_file).read().split()
    for key in z.read("keys").decode().split():
        if key.split("+")[0] == m["origin"] and key not in keys:
            wrong.append("keys: another key of the log")
    held = opened(z.read("checkpoint"), keys)
    size, root = int(held[1]), base64.b64decode(held[2])
    if [m["origin"], "keydesk/" + m["store"], m["size"]] != [held[0], "/".join(held[0].split("/")[:2]), size]:
        wrong.append("the manifest is of another tree")

    index = z.read("index") if "index" in z.namelist() else None
    if index is not None and (base64.b64encode(sha(index)).decode() != held[3].split(" ")[1] or len(index) != 16 * size):
        wrong.append("index: not the checkpoint's")

    def grown(c):  # the index, since an older checkpoint
        if index is not None and base64.b64encode(sha(index[:16 * int(c[1])])).decode() != c[3].split(" ")[1]:
            wrong.append("index: not what it was in the checkpoint of %s leaves" % c[1])

    text = z.read("events.ndjson")
    leaves, number, last, roots = [], m["from"], 0, {}
    count = {"events": 0, "expired": 0}
    for raw in text.split(b"\n")[:-1]:
        line = read(raw)
        if canonical(line) != raw or line["leaf"] != number:
            wrong.append("leaf %d: another line stands there" % number)
        entry = struct.unpack(">QII", index[16 * number:16 * number + 16]) if index else None
        if "checkpoint" in line:
            leaf = sha(b"\x00" + canonical({"checkpoint": line["checkpoint"]}))
            if number or set(line) != {"checkpoint", "leaf"} or entry and entry[2] != 2:
                wrong.append("leaf %d: a checkpoint" % number)
        elif "expired" in line:
            leaf, last = bytes.fromhex(line["hash"]), line["position"]
            count["expired"] += 1
            days = (datetime.date.fromisoformat(line["day"]) - datetime.date(1970, 1, 1)).days
            if entry != (line["position"], days, 1):
                wrong.append("leaf %d: nothing says that it may expire" % number)
        else:
            count["events"] += 1
            for name in "data", "metadata":
                told = line[name + "Text"].encode() if name + "Text" in line else base64.b64decode(line[name + "Base64"])
                if sha(told).hex() != line[name]:
                    wrong.append("leaf %d: %s is not what was recorded" % (number, name))
            if line["position"] <= last or line["store"] != m["store"] or entry and entry != indexed(line):
                wrong.append("leaf %d: out of place" % number)
            last = line["position"]
            leaf = sha(b"\x00" + canonical({k: line[k] for k in "data id metadata position revision store stream time type".split()}))
        leaves.append(leaf)
        number += 1
    if number != m["to"] or not text.endswith(b"\n") or any(count[k] != m[k] for k in count):
        wrong.append("there are not as many leaves as the manifest says")

    stack, hashes = [], [base64.b64decode(h, validate=True) for h in read(z.read("range.json"))]

    def add(n, h):
        while stack and stack[-1][0] == n:
            h, n = node(stack.pop()[1], h), n + 1
        stack.append((n, h))

    def top():
        h = stack[-1][1]
        for _, left in reversed(stack[:-1]):
            h = node(left, h)
        return h

    def fill(lo, hi):
        while lo < hi:
            n = level(lo, hi)
            add(n, hashes.pop(0))
            lo += 1 << n

    try:
        fill(0, m["from"])
        for i, leaf in enumerate(leaves):
            add(0, leaf)
            roots[m["from"] + i + 1] = top()
        fill(m["to"], m["size"])
        if hashes or top() != root:
            wrong.append("the leaves do not lead to the root")
    except IndexError:
        wrong.append("range.json: too short")

    for e in read(z.read("consistency.json")):
        c = opened(e["note"].encode(), keys)
        roots.setdefault(int(c[1]), base64.b64decode(c[2]))
        if c[0] != held[0] or not consistent(int(c[1]), base64.b64decode(c[2]), size, root, [base64.b64decode(h, validate=True) for h in e["proof"]]):
            wrong.append("the checkpoint of %s leaves is of another history" % c[1])
        grown(c)
    if since:
        c = opened(open(since, "rb").read(), keys)
        roots[size] = root
        if c[0] != held[0] or roots.get(int(c[1])) != base64.b64decode(c[2]):
            wrong.append("the older checkpoint is of another history")
        grown(c)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as e:
        wrong.append("%s: %s" % (type(e).__name__, e))
    print("\n".join(dict.fromkeys(wrong)))
    sys.exit(1 if wrong else 0)
