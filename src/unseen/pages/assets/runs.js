// Shows what the store says as it says it. The server writes the words and escapes them; a line that breaks is taken up again.
"use strict";
const place = document.getElementById("now"), words = document.getElementById("listening");
const heard = new EventSource(place.dataset.events);
heard.addEventListener("now", (e) => {
  const folds = place.contains(document.activeElement) ? document.activeElement.id : "";
  place.innerHTML = JSON.parse(e.data);
  if (folds && document.getElementById(folds)) document.getElementById(folds).focus();
});
heard.onopen = () => { words.textContent = "Live: this page follows the store."; };
heard.onerror = () => { words.textContent = "The server does not answer; trying again."; };
addEventListener("pagehide", () => heard.close());
