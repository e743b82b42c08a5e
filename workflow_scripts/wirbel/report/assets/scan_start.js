/* Starts the page of a scan, when all of its parts are there. */
"use strict";

wireReviewTools();
window.addEventListener("hashchange", showScan);
Reviews.listeners.push(() => { const box = document.querySelector("aside.about"); const kept = WIRBEL.data[`panel:${current.scan_id}`]; if (box) box.replaceWith(aside(current, kept)); });
reviewKeys(() => current, nextFlagged);
document.addEventListener("keydown", (event) => {
  if (isTyping(event)) return;
  const acts = {
    j: () => go(1), k: () => go(-1), s: () => layerButtons.toggle("structures"), v: () => layerButtons.toggle("vertebrae"),
    m: () => layerButtons.toggle("names"), i: () => layerButtons.toggle("lines"), Escape: () => { location.href = "index.html"; },
  };
  if (!(event.key in acts)) return;
  event.preventDefault();
  acts[event.key]();
});
byId("before").addEventListener("click", () => go(-1));
byId("after").addEventListener("click", () => go(1));
byId("flagged").addEventListener("click", nextFlagged);
showScan();
