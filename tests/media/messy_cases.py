"""The list of awkward sources; see `messy` for how they are made."""

from __future__ import annotations

from fractions import Fraction

from messy import (
    AAC,
    BOTH,
    COPY,
    FILM,
    LATE,
    PICTURE_LATE,
    SHORT_SOUND,
    VARIABLE,
    X264,
    Case,
    copied,
    cover_first,
    cut_off,
    encoded,
    holding,
    joined,
    kept_now_and_then,
    noise_bytes,
    silenced,
    stamped,
    turned,
    two_sizes,
    two_tracks,
    with_packets_lost,
)

NTSC = Fraction(30000, 1001)
HDR = ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", *AAC, "-x265-params")
PAGE = b"<html>not found</html>\n" * 100
CENC = (
    *("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb"),
    *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
)

TIME = (
    Case("plain", "H.264 and AAC in MP4", encoded("plain.mp4", *X264, *AAC), "nothing special"),
    Case(
        "vfr",
        "Variable frame rate, MP4",
        encoded("vfr.mp4", *VARIABLE, "-video_track_timescale", "90000", *X264, *AAC),
        "shown on a constant grid of the guessed rate: the last frame stamped by then",
        shown=kept_now_and_then,
    ),
    Case(
        "vfr-mkv",
        "Variable frame rate, stamps of 1 ms",
        encoded("vfr.mkv", *VARIABLE, *X264, *AAC),
        "the same",
        shown=kept_now_and_then,
    ),
    Case("mkv", "30 frames/s in stamps of 1 ms, Matroska", encoded("ms.mkv", *X264, *AAC), "the even rate is found"),
    Case(
        "webm",
        "VP8 and Opus in WebM",
        encoded("x.webm", "-c:v", "libvpx", "-crf", "10", "-c:a", "libopus"),
        "the same; stamps of 1 ms cannot tell the 6.5 ms of Opus' priming exactly",
        worst_ms=0.6,
    ),
    Case(
        "webm-ntsc",
        "29.97 frames/s, VP9 and Opus in WebM",
        encoded("x.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"),
        "the same",
        worst_ms=0.6,
        card={"fps": NTSC},
    ),
    Case(
        "start-100",
        "Clock starts at 100 s, Matroska",
        copied("start.mkv", "-i", FILM, *COPY, "-output_ts_offset", "100"),
        "times are counted from the container's start",
    ),
    Case("ts", "Transport stream (starts at 1.4 s)", copied("x.ts", *BOTH), "the same"),
    Case(
        "sound-late-mp4",
        "Sound 1.5 s late by its stamps, MP4",
        copied("late.mp4", *LATE),
        "the offset is kept and written down; windows keep off what has no sound",
        late_s=Fraction(3, 2),
    ),
    Case(
        "sound-late-mkv",
        "Sound 1.5 s late by its stamps, Matroska",
        copied("late.mkv", *LATE),
        "the same",
        late_s=Fraction(3, 2),
    ),
    Case(
        "sound-late-ts",
        "Sound 1.5 s late by its stamps, TS",
        copied("late.ts", *LATE),
        "the same",
        late_s=Fraction(3, 2),
    ),
    Case(
        "picture-late",
        "Picture 0.7 s late, MP4",
        copied("late.mp4", *PICTURE_LATE),
        "the same, the other way",
        late_s=Fraction(-7, 10),
    ),
    Case(
        "picture-late-mkv",
        "Picture 0.7 s late, Matroska",
        copied("late.mkv", *PICTURE_LATE),
        "the same",
        late_s=Fraction(-7, 10),
    ),
    Case("sound-short", "Sound ends at 6 of 9 s, MP4", copied("short.mp4", *SHORT_SOUND), "windows keep before 6 s"),
    Case("sound-short-mkv", "Sound ends at 6 of 9 s, Matroska", copied("short.mkv", *SHORT_SOUND), "the same"),
    Case(
        "sound-hole",
        "Sound pauses for 1 s in its stamps",
        encoded("hole.mkv", *X264, "-af", "aselect='not(between(t,1,2))'", "-c:a", "flac"),
        "windows keep off the hole",
    ),
    Case(
        "picture-hole",
        "Picture pauses for 1.5 s in its stamps",
        encoded("hole.mp4", "-vf", "select='not(between(t,1,2.5))'", "-fps_mode", "vfr", *X264, *AAC),
        "windows keep off the hole",
        shown=lambda number: not 30 <= number <= 75,
    ),
    Case(
        "ts-wrap",
        "Clock wraps at 2^33 ticks, TS",
        copied("wrap.ts", *BOTH, "-output_ts_offset", "95439"),
        "the clock runs on",
    ),
    Case(
        "ts-jump",
        "Clock jumps by 1000 s, TS",
        joined((), ("-output_ts_offset", "1000")),
        "windows lie on one side of the jump",
        card={"length_s": 12},
    ),
    Case(
        "ts-back",
        "Clock jumps back, TS (two recordings joined)",
        joined((), ()),
        "refused: one time stands for two moments",
        reason="clock_jump",
        card={"length_s": 12},
    ),
    Case(
        "ts-broken",
        "Packets lost in seconds 1.5 to 2.5, TS",
        with_packets_lost,
        "windows keep off the damage",
    ),
    Case(
        "b-frames",
        "B-frames in pyramids, open groups of pictures, MP4",
        encoded("b.mp4", *X264, "-bf", "4", "-x264-params", "b-pyramid=normal:open-gop=1:keyint=30", *AAC),
        "decoding starts early enough",
    ),
    Case(
        "b-frames-ts",
        "The same in a transport stream",
        encoded("b.ts", *X264, "-bf", "4", "-x264-params", "b-pyramid=normal:open-gop=1:keyint=30", *AAC),
        "the same",
    ),
    Case(
        "hevc-open",
        "HEVC with open groups of pictures, Matroska",
        encoded(
            *("h.mkv", "-c:v", "libx265", "-preset", "veryfast", "-pix_fmt", "yuv420p"),
            *("-x265-params", "log-level=none:open-gop=1:keyint=30:min-keyint=30:bframes=4", *AAC),
        ),
        "the same",
    ),
    Case(
        "long-gop",
        "One key frame in 1200 frames",
        encoded("long.mp4", *X264, "-g", "9999", "-x264-params", "scenecut=0", *AAC),
        "decoded from the key frame on",
        card={"length_s": 40},
    ),
    Case(
        "edit-list",
        "Cut without encoding at 1.37 s (edit list), MP4",
        copied("cut.mp4", "-ss", "1.37", "-i", FILM, *COPY),
        "what comes before the edit is not shown and does not count",
    ),
    Case(
        "clock-drift",
        "Sound's stamps run 0.1 % faster than its samples",
        stamped(Fraction(1001, 1000)),
        "refused: nobody can say which of its two clocks is right",
        reason="clock_drift",
        card={"length_s": 20},
    ),
    Case(
        "clock-drift-small",
        "The same, 20 ppm",
        stamped(Fraction(50_001, 50_000)),
        "placed by the stamps' median over the window",
        card={"length_s": 20},
        worst_ms=0.3,
    ),
)

SOUND = (
    Case("tracks", "Two sound tracks, the second is the default", two_tracks, "the default one, written down"),
    Case(
        "track-0",
        "The same with --audio-track 0",
        two_tracks,
        "the one that was asked for",
        late_s=Fraction(7, 10),
        settings={"audio_track": 0},
    ),
    Case(
        "track-2",
        "The same with --audio-track 2",
        two_tracks,
        "refused: there is no such track",
        reason="no_such_track",
        settings={"audio_track": 2},
    ),
    Case("mono", "Mono", encoded("mono.mp4", *X264, *AAC, "-ac", "1"), "stays mono"),
    Case("5.1", "5.1 channels", encoded("surround.mp4", *X264, *AAC, "-ac", "6"), "mixed to stereo"),
    Case("8-khz", "8 kHz", encoded("8.mp4", *X264, *AAC), "resampled, nothing moves", card={"rate_hz": 8000}),
    Case("22-khz", "22.05 kHz", encoded("22.mp4", *X264, *AAC), "the same", card={"rate_hz": 22_050}),
    Case("44-khz", "44.1 kHz", encoded("44.mp4", *X264, *AAC), "the same", card={"rate_hz": 44_100}),
    Case("96-khz", "96 kHz FLAC", encoded("96.mkv", *X264, "-c:a", "flac"), "the same", card={"rate_hz": 96_000}),
    Case("mp4-opus", "Opus in MP4", encoded("x.mp4", *X264, "-c:a", "libopus"), "priming as the edit list says"),
    Case("vorbis", "Vorbis in Matroska", encoded("x.mkv", *X264, "-c:a", "libvorbis"), "as stamped"),
    Case("mp3", "MP3 in MP4", encoded("x.mp4", *X264, "-c:a", "libmp3lame"), "as stamped"),
    Case("ac3", "AC-3 in a transport stream", encoded("x.ts", *X264, "-c:a", "ac3"), "as stamped"),
)

PICTURE = (
    Case("turned", "Stored lying, with a rotation flag", turned, "turned upright"),
    Case(
        "sar",
        "Pixels 4:3 (anamorphic)",
        encoded("sar.mp4", "-vf", "scale=120:90,setsar=16/9*90/120", *X264, *AAC),
        "scaled to square pixels",
    ),
    Case("odd-444", "161x91, 4:4:4", encoded("odd.mkv", "-vf", "scale=161:91", *X264[:-1], "yuv444p", *AAC), "even"),
    Case("10-bit", "10-bit HEVC, standard range", encoded("10.mp4", *HDR, "log-level=none"), "8-bit 4:2:0"),
    Case(
        "interlaced",
        "Interlaced MPEG-2 with MP2, programme stream",
        encoded("x.mpg", "-vf", "crop=160:80:0:0", "-flags", "+ildct+ilme", "-c:v", "mpeg2video", "-q:v", "2"),
        "deinterlaced, one frame each",
    ),
    Case(
        "size-change",
        "Size changes after 1 s",
        two_sizes,
        "clips of another size than the first frame's are refused",
        reason="stream_changed",
        card={"length_s": 12},
    ),
    Case("cover", "Cover art before the video", cover_first, "the cover is passed over"),
    Case("height", "With --height 72", encoded("x.mp4", *X264, *AAC), "scaled to 128x72", settings={"height": 72}),
    Case("mov", "ProRes and PCM in MOV", encoded("x.mov", "-c:v", "prores_ks", "-c:a", "pcm_s16le"), "8-bit 4:2:0"),
    Case("av1", "AV1 in MP4", encoded("x.mp4", "-c:v", "libsvtav1", "-preset", "12", *AAC), "decoded as any"),
    Case("flv", "Flash video", encoded("x.flv", *X264, *AAC), "the even rate is found in stamps of 1 ms"),
    Case("avi", "MPEG-4 and PCM in AVI", encoded("x.avi", "-c:v", "mpeg4", "-q:v", "2", "-c:a", "pcm_s16le"), "as any"),
    Case(
        "avi-b",
        "H.264 with B-frames in AVI, which has no stamps for them",
        encoded("x.avi", *X264, "-bf", "3", "-c:a", "pcm_s16le"),
        "refused: when a frame is shown is not said",
        reason="no_stamps",
    ),
)

REFUSED = (
    Case(
        "cut-mp4",
        "Download broken off at 85 %, MP4 with its index in front",
        cut_off("cut.mp4", 0.85, "-movflags", "+faststart", "-f", "mp4"),
        "only what really decodes is used",
    ),
    Case("cut-mkv", "Download broken off at 85 %, Matroska", cut_off("cut.mkv", 0.85, "-f", "matroska"), "the same"),
    Case("cut-ts", "Download broken off at 85 %, TS", cut_off("cut.ts", 0.85, "-f", "mpegts"), "the same"),
    Case(
        "no-index",
        "Download broken off, MP4 with its index at the end",
        cut_off("cut.mp4", 0.5, "-f", "mp4"),
        reason="not_media",
    ),
    Case("drm", "Encrypted (common encryption)", encoded("drm.mp4", *X264, *AAC, *CENC), reason="encrypted"),
    Case("empty", "No bytes at all", holding("x.mp4", b""), reason="not_media"),
    Case("page", "A web page named .mp4", holding("x.mp4", PAGE), reason="not_media"),
    Case("noise", "Random bytes", holding("x.mp4", noise_bytes(100_000)), reason="not_media"),
    Case("script", "A concat script", holding("x.mp4", b"ffconcat version 1.0\nfile card.mkv\n"), reason="not_media"),
    Case("no-sound", "No sound track", encoded("mute.mp4", *X264, "-an"), reason="no_sound"),
    Case("no-picture", "Sound alone", encoded("blind.mp4", "-vn", *AAC), reason="no_picture"),
    Case("silent", "A silent sound track", silenced, reason="silent"),
    Case(
        "short", "Too short for the clip and its delays", encoded("x.mp4", *X264, *AAC, "-t", "3"), reason="too_short"
    ),
    Case(
        "pq",
        "High dynamic range, PQ",
        encoded("pq.mp4", *HDR, "log-level=none:transfer=smpte2084:colorprim=bt2020:colormatrix=bt2020nc"),
        reason="hdr",
    ),
    Case(
        "hlg",
        "High dynamic range, HLG",
        encoded("hlg.mp4", *HDR, "log-level=none:transfer=arib-std-b67:colorprim=bt2020:colormatrix=bt2020nc"),
        reason="hdr",
    ),
)

CASES = (*TIME, *SOUND, *PICTURE, *REFUSED)
