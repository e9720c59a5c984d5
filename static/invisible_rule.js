// Which characters nobody sees, and when they are meant: read by invisible.js here and by curation/text/invisible.py.
// Below this line is JSON, with ranges as they are written between [ and ] of a regular expression.
export default {
  "unseen": "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud82f\udca0-\ud82f\udca3\ud834\udd73-\ud834\udd7a\udb40\udc00-\udb43\udfff",
  "pictures": "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\ud83c\udc00-\ud83e\udeff",
  "joining": "\u0620-\u07ff\u0840-\u08ff\u0900-\u0dff\u0f00-\u0fff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff\u1820-\u18af\ua840-\ua87f\ufb50-\ufdff\ufe70-\ufefc",
  "ideographs": "\u3400-\u9fff\uf900-\ufaff\ud840\udc00-\ud8bf\udfff",
  "mongolian": "\u1820-\u18aa",
  "rtl": "\u0590-\u060f\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\ud802\udc00-\ud803\udfff\ud83a\udc00-\ud83b\udfff",
  "ltr": "A-Za-z\u00c0-\u02af\u0370-\u058f\u0900-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufaff",
  "names": {
    "00AD": "soft hyphen",
    "061C": "Arabic letter mark",
    "180E": "Mongolian vowel separator",
    "200B": "zero width space",
    "200C": "zero width non-joiner",
    "200D": "zero width joiner",
    "200E": "left-to-right mark",
    "200F": "right-to-left mark",
    "2028": "line separator",
    "2029": "paragraph separator",
    "202A": "left-to-right embedding",
    "202B": "right-to-left embedding",
    "202C": "pop directional formatting",
    "202D": "left-to-right override",
    "202E": "right-to-left override",
    "2060": "word joiner",
    "2061": "function application",
    "2062": "invisible times",
    "2063": "invisible separator",
    "2064": "invisible plus",
    "2066": "left-to-right isolate",
    "2067": "right-to-left isolate",
    "2068": "first strong isolate",
    "2069": "pop directional isolate",
    "2800": "braille blank",
    "3164": "Hangul filler",
    "FEFF": "zero width no-break space"
  },
  "kinds": [
    ["\u0000-\u001f\u007f-\u009f", "control character"],
    ["\ufe00-\ufe0f\udb40\udd00-\udb40\uddef", "variation selector"],
    ["\udb40\udc00-\udb40\udc7f", "tag character"]
  ],
  "other": "invisible character"
}
