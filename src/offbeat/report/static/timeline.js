"use strict";
// The timeline of a variant: what moves, what is heard, how the sound was moved, and how each model took it. One axis.

const svg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
};

const CURVE = 40; // the height of a curve, in pixels, as all below
const MOTION_TOP = 18;
const ONSETS_TOP = MOTION_TOP + CURVE + 22;
const MARKS_TOP = ONSETS_TOP + CURVE + 12;
const MARK = 24;
const MARK_LINE = 15;
const LONGEST_NAME = 30;
const LETTER = 5.8; // the width of a letter, about
const WIDEST = 480; // of the column that the timeline stands in
const EDGE = 0.04; // of the clip's length: no moment is chosen so near to its ends

const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** The curves of a variant's clip on the time of its picture, `{time, value}` with values from 0 to 1; null without. */
function curvesOf(variant) {
  const kept = data.clips[variant.clip];
  if (!kept) return null;
  const [motion, onsets, onsetsHz, onsetsStart] = kept;
  return {
    motion: [...bytes(motion)].map((step, k) => ({ time: k / variant.fps, value: step / 255 })),
    onsets: [...bytes(onsets)].map((step, k) => ({ time: onsetsStart + k / onsetsHz, value: step / 255 })),
  };
}

/** A moment of the picture from which delays are drawn: plainly seen and heard, its sound in the clip too, and such
 *  that the delay lies about the middle. */
function momentOf(variant, curves) {
  const [first, last] = [EDGE * variant.length, (1 - EDGE) * variant.length];
  const delay = variant.delay / 1000;
  const inside = (time) => time >= first && time <= last;
  if (curves === null || variant.overlap <= 0) {
    return delay === 0 ? variant.length / 2 : delay > 0 ? first : last;
  }
  let [best, found] = [-1, variant.length / 2 - delay / 2];
  for (const { time, value } of curves.onsets) {
    if (!inside(time) || !inside(time + delay)) continue;
    const frame = curves.motion[Math.min(curves.motion.length - 1, Math.round(time * variant.fps))];
    const central = 1 - Math.abs(time + delay / 2 - variant.length / 2) / variant.length;
    const worth = frame ? value * (0.2 + frame.value) * central : -1;
    if (worth > best) [best, found] = [worth, time];
  }
  return found;
}

function timeline(variant, video) {
  const curves = curvesOf(variant);
  const delay = variant.delay / 1000;
  const moment = momentOf(variant, curves);
  const at = (seconds) => `${(100 * Math.min(1, Math.max(0, seconds / variant.length))).toFixed(3)}%`;
  const said = variant.answers.flatMap((answers, model) => answers.map((answer) => ({ model: data.models[model], answer })));
  const top = curves === null ? 8 : MARKS_TOP;
  const rows = [truthMark(variant, moment, at), ...said.map((one) => answerMark(one, moment, at))];
  const bottom = top + rows.length * MARK + 4;
  const picture = svg("svg", { class: "timeline", height: bottom + 20, role: "img", "aria-label": inWords(variant, said) },
    ...ticks(variant.length).flatMap((second) => [
      svg("line", { class: "tick", x1: at(second), x2: at(second), y1: curves === null ? 0 : MOTION_TOP, y2: bottom }),
      label(at(second), bottom + 14, `${number(second)}${second === 0 ? " s" : ""}`, second / variant.length, "soft"),
    ]),
    svg("line", { class: "seen", x1: at(moment), x2: at(moment), y1: curves === null ? 0 : MOTION_TOP, y2: bottom }),
    ...(curves !== null && moment + delay <= variant.length && moment + delay >= 0
      ? [svg("line", { class: "heard", x1: at(moment + delay), x2: at(moment + delay), y1: ONSETS_TOP, y2: MARKS_TOP + MARK_LINE })] : []),
    ...(curves === null ? [] : [
      label("0%", MOTION_TOP - 6, "motion in the picture", 0, "soft"),
      label("0%", ONSETS_TOP - 6, delay === 0 ? "onsets in the sound" : "onsets in the sound as heard; dashed: not moved", 0, "soft"),
      curve(curves.motion, variant.length, MOTION_TOP, "motion"),
      curve(curves.onsets.map(({ time, value }) => ({ time: time + delay, value })), variant.length, ONSETS_TOP, "onsets"),
      ...(delay === 0 ? [] : [curve(curves.onsets, variant.length, ONSETS_TOP, "unmoved")]),
    ]),
    ...rows.map((nodes, k) => svg("g", { transform: `translate(0 ${top + k * MARK})` }, ...nodes)));
  if (video) followPlaying(picture, video, variant.length, at, bottom);
  return el("figure", { className: "timeline-figure" }, picture, el("figcaption", { className: "small" }, caption(variant, moment, curves)));
}

function curve(points, length, top, kind) {
  const near = points.filter(({ time }) => time >= -1 && time <= length + 1);
  const line = near.map(({ time, value }) => `${(1000 * time / length).toFixed(1)} ${(100 - 100 * value).toFixed(1)}`).join("L");
  const area = near.length ? `M${(1000 * near[0].time / length).toFixed(1)} 100L${line}L${(1000 * near.at(-1).time / length).toFixed(1)} 100` : "";
  return svg("svg", { x: 0, y: top, width: "100%", height: CURVE, viewBox: "0 0 1000 100", preserveAspectRatio: "none" },
    svg("path", { class: kind, d: kind === "unmoved" && near.length ? `M${line}` : area, "vector-effect": "non-scaling-stroke" }),
    svg("line", { class: "floor", x1: 0, x2: 1000, y1: 100, y2: 100, "vector-effect": "non-scaling-stroke" }));
}

/** Text below or above a place; at the ends of the axis it stays inside. */
function label(x, y, words, share, kind) {
  const anchor = share < 0.02 ? "start" : share > 0.98 ? "end" : "middle";
  return svg("text", { x, y, "text-anchor": anchor, class: kind }, words);
}

/** Text beside what reaches from one place to another, both in per cent, on the side with more room; above it for want of room. */
function beside(start, end, words, kind, gap) {
  const [low, high] = [Math.min(start, end), Math.max(start, end)];
  const right = 100 - high >= low;
  const room = Math.max(low, 100 - high) / 100 * Math.min(WIDEST, window.innerWidth - 40);
  const over = room < LETTER * words.length + gap;
  const x = over ? 50 : right ? high : low;
  const anchor = over ? "middle" : right ? "start" : "end";
  const [dx, dy] = over ? [0, -5] : [right ? gap : -gap, 4];
  return svg("text", { x: `${x}%`, y: MARK_LINE, dx, dy, "text-anchor": anchor, class: kind }, words);
}

/** A mark of the delay from the moment on: an arrow to where it leads, and words on the side with more room. */
function arrow(from, delay, at, kind, words) {
  const [start, end] = [parseFloat(at(from)), parseFloat(at(from + delay))];
  const head = Math.sign(delay) * 7;
  return [
    svg("line", { class: `arrow ${kind}`, x1: at(from), x2: at(from + delay), y1: MARK_LINE, y2: MARK_LINE }),
    svg("svg", { x: at(from + delay), y: MARK_LINE, class: "place" },
      delay === 0
        ? svg("circle", { class: `arrow ${kind}`, r: 4 })
        : svg("path", { class: `arrow ${kind}`, d: `M0 0L${-head} -4.5L${-head} 4.5Z` })),
    beside(start, end, words, kind === "truth" ? "strong" : "", 12),
  ];
}

function truthMark(variant, moment, at) {
  const seconds = variant.delay / 1000;
  const beyond = moment + seconds > variant.length || moment + seconds < 0;
  const words = seconds === 0 ? "truth: in step" : `truth: ${signed(variant.delay)} s${beyond ? ", beyond the clip" : ""}`;
  return arrow(moment, seconds, at, "truth", words);
}

/** A model's estimate where it gives one, in its place; else its word, with a mark that points but measures nothing. */
function answerMark({ model, answer }, moment, at) {
  const name = (model.length > LONGEST_NAME ? `${model.slice(0, LONGEST_NAME - 1)}…` : model) + (answer.repeat ? ` (${answer.repeat})` : "");
  const verdict = answer.right === "yes" ? " ✓" : answer.right === "no" ? " ✗" : "";
  const word = answer.choice ?? answer.outcome;
  if (answer.estimate !== null) {
    return arrow(moment, answer.estimate / 1000, at, answer.shown, `${name}: ${milliseconds(answer.estimate)}, ${word}${verdict}`);
  }
  const start = parseFloat(at(moment));
  const points = { ahead: "M-14 0L-6 -4.5L-6 4.5ZM-6 0H-1", behind: "M14 0L6 -4.5L6 4.5ZM6 0H1" }[answer.choice];
  return [
    svg("svg", { x: `${start}%`, y: MARK_LINE, class: "place" },
      points ? svg("path", { class: `word ${answer.shown}`, d: points })
        : answer.choice === "sync" ? svg("circle", { class: `word ${answer.shown}`, r: 4 })
          : svg("path", { class: "word none", d: "M-4 -4L4 4M-4 4L4 -4" })),
    beside(start, start, `${name}: ${word}${verdict}`, "", 20),
  ];
}

function ticks(length) {
  const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60].find((seconds) => length / seconds <= 10) ?? 120;
  return Array.from({ length: Math.floor(length / step + 1e-9) + 1 }, (_, k) => k * step);
}

const milliseconds = (ms) => `${ms > 0 ? "+" : ""}${number(Math.round(ms))} ms`;

function caption(variant, moment, curves) {
  const heard = moment + variant.delay / 1000;
  const said = variant.answers.flat();
  const marks = said.some((answer) => answer.estimate !== null)
    ? " Models that tell a delay have an arrow as long; the others a mark that only points."
    : said.length ? " The models' marks only point." : "";
  const before = curves === null ? "No curves of motion and onsets: this set was built before they were kept; build it again to see them. " : "";
  if (variant.overlap <= 0) return `${before}Picture and sound share no moment.${marks}`;
  const seen = `${before}What is seen at ${number(+moment.toFixed(2))} s (dotted)`;
  return `${seen} is heard ${variant.delay === 0 ? "then" : `at ${number(+heard.toFixed(2))} s`}.${marks}`;
}

function inWords(variant, said) {
  const answers = said.map(({ model, answer }) =>
    `${model}: ${answer.choice ?? answer.outcome}${answer.estimate === null ? "" : `, ${milliseconds(answer.estimate)}`}`);
  const truth = variant.delay === 0 ? "in step" : `${number(Math.abs(variant.delay) / 1000)} s ${WORDS[variant.label]}`;
  return [`Timeline of ${number(variant.length)} s: motion in the picture, onsets in the sound. The sound is ${truth}`, ...answers].join(". ");
}

/** A line where the clip plays; a click on the timeline seeks. */
function followPlaying(picture, video, length, at, bottom) {
  const line = svg("line", { class: "playing", visibility: "hidden", y1: MOTION_TOP - 4, y2: bottom });
  picture.append(line);
  const move = () => {
    line.setAttribute("visibility", "visible");
    for (const end of ["x1", "x2"]) line.setAttribute(end, at(video.currentTime));
    if (!video.paused && video.isConnected) requestAnimationFrame(move);
  };
  for (const event of ["play", "seeking", "seeked", "timeupdate"]) video.addEventListener(event, move);
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    video.currentTime = length * (event.clientX - box.left) / box.width;
  });
}
