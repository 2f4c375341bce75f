"use strict";

// Prepares the page for textual.js, which opens the terminal when everything has loaded.

const FEWEST_COLUMNS = 40;
const LARGEST_FONT = 16; // pixels
const CELL_WIDTH = 0.602; // of the font size
const KEY_CODES = {
  Tab: 9, Enter: 13, Escape: 27, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40,
};

function fontSize() {
  const fitting = Math.floor(window.innerWidth / FEWEST_COLUMNS / CELL_WIDTH);
  return Math.max(8, Math.min(LARGEST_FONT, fitting));
}

function press(key) {
  const input = document.querySelector(".xterm-helper-textarea");
  const options = { key, code: key, keyCode: KEY_CODES[key], bubbles: true, cancelable: true };
  input.dispatchEvent(new KeyboardEvent("keydown", options));
}

document.addEventListener("DOMContentLoaded", () => {
  const terminal = document.querySelector("#terminal");
  const socket = new URL("socket", window.location.href);
  socket.protocol = socket.protocol.replace("http", "ws");
  socket.search = socket.hash = "";
  terminal.dataset.sessionWebsocketUrl = socket.href;
  terminal.dataset.fontSize = fontSize();
  for (const button of document.querySelectorAll("#keys button")) {
    // Pressing the button must not take the focus from the terminal, which hides the keyboard.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => press(button.dataset.key));
  }
  document.querySelector("#again").addEventListener("click", () => window.location.reload());
});

function focus() {
  const input = document.querySelector(".xterm-helper-textarea");
  if (input !== null) input.focus();
}

// textual.js creates the terminal when it handles the same event.
window.addEventListener("load", () => setTimeout(focus));
