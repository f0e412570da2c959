"use strict";
// One variant, opened: its clip, its timeline, what is known of it, and what each model was asked and said.

function opened(variant) {
  const media = variant.file === null
    ? el("p", { className: "soft" }, "The clip's file was not found when this report was made.")
    : el("video", { controls: true, preload: "metadata", src: variant.file, ariaLabel: "The clip",
      style: `aspect-ratio:${variant.width}/${variant.height}` });
  const parts = [media, timeline(variant, variant.file === null ? null : media), facts(variant)];
  return el("tr", { id: `open-${variant.id}` }, el("td", { className: "opened", colSpan: String(5 + data.models.length) },
    el("div", { className: "opened-grid" }, el("div", {}, ...parts), el("div", {}, ...replies(variant), flags(variant)))));
}

// As the list of sources names it; nothing where it does not.
function fileOf(variant) {
  return Object.hasOwn(data.sources, variant.source) ? data.sources[variant.source] : "";
}

function facts(variant) {
  const rows = [
    ["sound", variant.delay === 0 ? WORDS.sync : `${number(Math.abs(variant.delay) / 1000)} s ${WORDS[variant.label]}`],
    ["right answer", variant.label],
    ["measured delay", variant.measured === null ? "too quiet or too repetitive to measure" : `${number(variant.measured)} ms`],
    ["shared moment", variant.overlap > 0 ? `${number(variant.overlap)} s` : "none: nobody can tell the direction from this variant"],
    ["material", [variant.genre, variant.language].filter(Boolean).join(", ")],
    ["picture", `${variant.width} × ${variant.height}, ${number(+variant.fps.toFixed(3))} frames a second`],
    ["source", `${fileOf(variant)}${fileOf(variant) && ", "}from ${number(+variant.start.toFixed(3))} s`],
    ["its id, and the clip's", `${variant.source}, ${variant.clip}`],
  ];
  return el("dl", { className: "facts" }, ...rows.flatMap(([term, words]) => [el("dt", {}, term), el("dd", {}, words)]));
}

function flags(variant) {
  const rows = data.flags.map(([name, title, unit, meaning]) => el("tr", { title: meaning },
    el("th", { scope: "row" }, el("abbr", { title: meaning }, title)),
    el("td", {}, flagValue(variant.flags[name], unit)), el("td", { className: "left soft" }, unit)));
  return el("details", { open: true }, el("summary", {}, "Flags: what makes it fair to ask about"),
    el("table", { className: "flags" }, el("tbody", {}, ...rows)),
    el("p", { className: "soft small" }, "– means unknown. Point at a name for its meaning; docs/flags.md has each in full."));
}

function flagValue(value, unit) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return unit.startsWith("%") ? number(+(100 * value).toFixed(1)) : number(+value.toFixed(3));
}

function replies(variant) {
  const all = variant.answers.flatMap((answers, model) => answers.map((answer) => ({ model: data.models[model], answer })));
  if (!all.length) return [el("p", { className: "soft" }, "No model was asked about this variant.")];
  const prompts = [...new Set(all.map(({ answer }) => answer.prompt))];
  const asked = (prompt) => all.filter(({ answer }) => answer.prompt === prompt).map(({ model }) => model);
  const rows = all.map(({ model, answer }) => el("tr", {},
    el("th", { scope: "row", className: "name" }, ...breakable(model), answer.repeat ? `, repeat ${answer.repeat}` : ""),
    el("td", { className: "left" }, choice(answer)),
    el("td", { className: "text" }, el("pre", {}, answer.text ?? answer.error ?? ""), ...remarks(answer))));
  return [
    el("table", { className: "replies" },
      el("thead", {}, el("tr", {}, ...["model", "answer", "raw text"].map((title) => el("th", { scope: "col", className: "left" }, title)))),
      el("tbody", {}, ...rows)),
    ...prompts.map((prompt) => {
      const [text, system] = data.prompts[prompt];
      const whose = prompts.length > 1 ? ` for ${[...new Set(asked(prompt))].join(", ")}` : "";
      return el("details", {}, el("summary", {}, `The prompt${whose}`),
        ...(system === null ? [] : [el("p", { className: "soft small" }, "Before the conversation:"), el("pre", { className: "panel" }, system)]),
        el("pre", { className: "panel" }, text));
    }),
  ];
}

function remarks(answer) {
  const all = Object.entries(answer.details).map(([name, words]) => `${name.replaceAll("_", " ")}: ${words}`);
  if (answer.probabilities !== null) {
    all.unshift(Object.entries(answer.probabilities).map(([option, share]) => `${option} ${(100 * share).toFixed(1)} %`).join(", "));
  }
  if (answer.outcome !== "ok") all.unshift(`outcome: ${answer.outcome}`);
  const used = Object.entries(answer.usage).map(([name, words]) => `${name.replaceAll("_", " ")} ${words}`);
  if (answer.seconds > 0) used.push(`took ${number(answer.seconds)} s`);
  if (used.length) all.push(used.join(", "));
  return all.map((words) => el("div", { className: "soft small" }, words));
}
