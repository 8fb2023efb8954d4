"""Whole texts in place of a sample: what no tool writes."""

from __future__ import annotations

from collections.abc import Mapping

DEEP = 100_000
XXE = '<!DOCTYPE a [<!ENTITY x SYSTEM "{}">]><annotations>&x;</annotations>'
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    + "]><annotations><track id='0'>&a12;</track></annotations>"
)


def everywhere() -> dict[str, bytes]:
    """Return texts that fit no form."""
    return {
        "empty": b"",
        "one line break": b"\n",
        "a NUL": b"\0",
        "NULs": bytes(10_000),
        "a byte order mark": b"\xef\xbb\xbf",
        "UTF-16 mark": b"\xff\xfe",
        "brackets": b"[" * DEEP,
        "braces": b'{"a":' * DEEP,
        "elements": b"<a>" * DEEP,
        "quotes": b'"' * DEEP,
        "commas": b"," * DEEP,
        "a line of 1 MiB": b"x" * (1 << 20),
        "an open quote of 1 MiB": b'"' + b"x\n" * (1 << 19),
        "surrogates": "\ud800".encode("utf-8", "surrogatepass") * 100,
        "returns": b"\r" * 1000,
        "HTML": b"<!doctype html><html><body>404</body></html>",
    }


def csv() -> Mapping[str, bytes]:
    """Return tables that are none."""
    return {
        **everywhere(),
        "no row": b"track_id,frame,x,y,w,h,label\n",
        "columns twice": b"track_id,track_id,shot,shot,label,label\n1,2,3,4,5,6\n",
        "columns without a name": b",,,,,,\n1,2,3,4,5,6,7\n",
        "no header": b"1,2,3,4,5,6,7\n",
        "10^5 columns": b"a," * DEEP + b"b\n" + b"1," * DEEP + b"2\n",
        "a field of 1 MiB": b"track_id,shot,label\n" + b"x" * (1 << 20) + b",1,a\n",
        "a field over lines": b'track_id,shot,label\n"1\n2",1,a\n',
        "semicolons": b"track_id;frame;x;y;w;h;label\n0;3;1;1;9;9;a\n",
        "10^5 rows of one": b"track_id,frame,x,y,w,h,label\n" + b"0,1,1,1,9,9,a\n" * DEEP,
        "superscripts": "track_id,shot,label\n²,1,a\n".encode(),
        "digits of others": "track_id,shot,label\n٣,٣,a\n3,3,b\n".encode(),
    }


def json() -> Mapping[str, bytes]:
    """Return JSON that Python reads and nobody writes."""
    head = b'{"video": "a", "fps": %b, "width": %b, "height": 180}'
    return {
        **everywhere(),
        "NaN": head % (b"NaN", b"NaN"),
        "infinite": head % (b"1e999", b"-1e999"),
        "large": head % (b"25", b"1" + b"0" * 400),
        "too many digits": head % (b"25", b"9" * 10_000),
        "truth": head % (b"true", b"true"),
        "a text": head % (b'"25"', b'"240"'),
        "digits of others": head % (b'"25"', '"٢٤٠"'.encode()),
        "spaces": head % (b'" 25 "', b'" 240 "'),
        "lists": head % (b"[25]", b"[240]"),
        "nothing": head % (b"null", b"null"),
        "a lone surrogate": b'{"video": "\\ud800", "fps": 25, "width": 240, "height": 180}',
        "a NUL": b'{"video": "a\\u0000b", "fps": 25, "width": 240, "height": 180}',
        "a name of 10^5": b'{"video": "%b", "fps": 25, "width": 9, "height": 9}' % (b"x" * DEEP),
        "another film": b'{"video": "/dev/zero", "fps": 25, "width": 240, "height": 180}',
        "twice": b'{"video": "a", "video": 5, "fps": 25, "width": 240, "height": 180}',
        "a list": b"[]",
        "a number": b"5",
    }


def ini() -> Mapping[str, bytes]:
    """Return sections that are none."""
    lines = b"name=a\nframeRate=25\nseqLength=9\nimWidth=240\nimHeight=180\n"
    return {
        **everywhere(),
        "no section": lines,
        "a section twice": b"[Sequence]\n" + lines + b"[Sequence]\n",
        "a key twice": b"[Sequence]\n" + lines + b"name=b\n",
        "by default": b"[DEFAULT]\n" + lines + b"[Sequence]\n",
        "only the default": b"[DEFAULT]\n" + lines,
        "references": b"[Sequence]\n" + lines.replace(b"a\n", b"%(name)s ${name}\n", 1),
        "a key without a value": b"[Sequence]\n" + lines + b"firstPixel\n",
        "an empty key": b"[Sequence]\n" + lines + b"=1\n",
        "many lines": b"[Sequence]\nname=a\n" + b"  b\n" * DEEP + lines[7:],
    }


def xml() -> Mapping[str, bytes]:
    """Return XML that grows, leads elsewhere, or is no annotation."""
    deep = "<a>" * DEEP + "</a>" * DEEP
    track = '<track id="0" label="a"><box frame="{}" xtl="1" ytl="1" xbr="9" ybr="9"/></track>'
    size = "<meta><original_size><width>{}</width><height>90</height></original_size></meta>"
    around = "<annotations>{}</annotations>"
    texts = {
        "laughs": LAUGHS,
        "one entity": '<!DOCTYPE a [<!ENTITY x "1">]><annotations>&x;</annotations>',
        "a file": XXE.format("file:///etc/passwd"),
        "a pipe": XXE.format("file:///dev/stdin"),
        "a page": XXE.format("http://127.0.0.1:9/x"),
        "an empty type": "<!DOCTYPE annotations><annotations/>",
        "a type elsewhere": '<!DOCTYPE a SYSTEM "file:///dev/zero"><annotations/>',
        "deep": around.format(deep),
        "deep tracks": "<annotations>" + "<track id='0'>" * DEEP,
        "attributes": "<annotations " + " ".join(f'a{n}="1"' for n in range(DEEP)) + "/>",
        "an attribute twice": '<annotations><track id="0" id="1"/></annotations>',
        "a long attribute": around.format(f'<track id="{"x" * (1 << 20)}" label="a"/>'),
        "names of spaces": around.format('<x:track xmlns:x="u" id="0"/>'),
        "an instruction": "<?xml-stylesheet href='file:///etc/passwd'?>" + around.format(""),
        "an include": around.format('<xi:include xmlns:xi="u" href="/etc/passwd"/>'),
        "CDATA": around.format("<![CDATA[" + "]]]]>" + "<![CDATA[>]]>"),
        "a comment": around.format("<!--" + "x" * DEEP + "-->"),
        "images": around.format("<image/>"),
        "no size": around.format(track.format(1)),
        "size NaN": around.format(size.format("NaN") + track.format(1)),
        "size 10^400": around.format(size.format("1" + "0" * 400) + track.format(1)),
        "frame 1e999": around.format(size.format(90) + track.format("1e999")),
        "frame 3.0": around.format(size.format(90) + track.format("3.0")),
        "frame of others": around.format(size.format(90) + track.format("٣")),
        "frame 1_0": around.format(size.format(90) + track.format("1_0")),
        "two roots": "<annotations/><annotations/>",
        "NUL by number": around.format("&#0;"),
        "a surrogate by number": around.format("&#xD800;"),
    }
    found = {name: text.encode() for name, text in texts.items()}
    for coding in ("utf-7", "rot13", "hex", "idna", "utf-16", "cp037", "undefined", "x" * 5000):
        head = f'<?xml version="1.0" encoding="{coding}"?><annotations/>'
        found[f"coded as {coding[:9]}"] = head.encode()
    return {**everywhere(), **found, "UTF-16": around.format("").encode("utf-16")}


def ids() -> Mapping[str, bytes]:
    """Return lists of labels that are none."""
    head = b"CVHCI_TRACKLABELS_V1\n"
    return {
        **everywhere(),
        "no track": head,
        "twice": head + b"1 a\n1 a\n",
        "superscripts": head + "² a\n".encode(),
        "digits of others": head + "٣ a\n".encode(),
        "too large": head + b"9" * 19 + b" a\n",
        "10^5 digits": head + b"9" * DEEP + b" a\n",
        "a label of 10^5": head + b"1 " + b"x" * DEEP + b"\n",
        "no-break space": head + "1\u00a0a\n".encode(),
        "line of others": head + "1 a\u20282 b\n".encode(),
        "form feed": head + b"1 a\x0c2 b\n",
    }


def toml() -> Mapping[str, bytes]:
    """Return settings that cannot be."""
    return {
        **everywhere(),
        "NaN": b"[quality]\nsharpness = nan\n",
        "infinite": b"[adapt]\nrounds = inf\n",
        "large": b"seed = " + b"9" * 4000,
        "too many digits": b"seed = " + b"9" * 10_000,
        "a date": b"seed = 1979-05-27T07:32:00Z\n",
        "deep": b"seed = " + b"[" * DEEP,
        "deep keys": b"a." * 5000 + b"b = 1\n",
        "a table twice": b"[adapt]\n[adapt]\n",
        "a list of tables": b"[[adapt]]\nrounds = 1\n",
        "a NUL": b'device = "a\\u0000b"\n',
        "a path with NUL": b'[embed]\nbackbone = "onnx=a\\u0000b"\n',
        "profile a table": b"[profile]\nx = 1\n",
        "profile a list": b"profile = [1]\n",
        "not a table": b"adapt = 5\n",
        "long key": b"x" * DEEP + b" = 1\n",
    }


def objects() -> Mapping[str, bytes]:
    """Return JSON that is no object of the right kind."""
    return {
        **everywhere(),
        "a list": b"[]",
        "nothing": b"null",
        "a number": b"1e999",
        "a text": b'"x"',
        "digits": b'{"a": ' + b"9" * 10_000 + b"}",
        "a key of a surrogate": b'{"\\ud800": "\\udfff"}',
    }
