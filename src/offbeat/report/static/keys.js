"use strict";
// The keyboard: j and k go from variant to variant, space plays, / filters, ? tells. They can be turned off.

const keysDialog = document.getElementById("keys");
const keysOn = document.getElementById("keys-on");

/** The variant after the open one, or before it, in the order of the list; pages turn by themselves. */
function stepTo(by) {
  const rows = kept();
  const open = rows.findIndex((variant) => variant.id === state.open);
  const page = Math.max(1, +state.page || 1);
  const target = open >= 0 ? open + by : (page - 1) * PAGE_SIZE;
  if (!rows[target]) return;
  change({ page: Math.floor(target / PAGE_SIZE) + 1, open: rows[target].id }, rows[target].id);
  body.querySelector(".opener[aria-expanded=true]")?.closest("tr").scrollIntoView({ block: "start" });
}

function playOrPause() {
  const video = body.querySelector("td.opened video");
  if (!video) return false;
  if (video.paused) video.play().catch(() => video.setAttribute("title", "This browser cannot play the clip."));
  else video.pause();
  return true;
}

const KEYS = {
  j: () => stepTo(1),
  k: () => stepTo(-1),
  " ": playOrPause,
  "/": () => { field("id").focus(); field("id").select(); },
  "?": () => keysDialog.showModal(),
  Escape: () => state.open !== undefined && change({ page: state.page }, state.open),
};

/** What a key does here; nothing where the element in focus has a use for it, or a modifier makes it another. */
function actionOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || keysDialog.open) return undefined;
  const focus = event.target instanceof Element ? event.target : document.body;
  if (focus.closest("input, select, textarea")) return undefined;
  const onRow = focus.closest(".opener") !== null;
  if (onRow && ["ArrowDown", "ArrowUp"].includes(event.key)) return KEYS[event.key === "ArrowDown" ? "j" : "k"];
  if (event.key === " " && !onRow && focus.closest("button, a, summary, video, [tabindex]")) return undefined;
  if (event.key === " " && !body.querySelector("td.opened video")) return undefined;
  return keysOn.checked || event.key === "Escape" ? KEYS[event.key] : undefined;
}

document.addEventListener("keydown", (event) => {
  const action = actionOf(event);
  if (action === undefined) return;
  event.preventDefault();
  action();
});
// Some browsers press a button when space is let go of.
document.addEventListener("keyup", (event) => {
  if (event.key === " " && actionOf(event) !== undefined) event.preventDefault();
});
document.getElementById("keys-open").addEventListener("click", () => keysDialog.showModal());
