import "./send-once.js";
import "./file-well.js";
import "./character-count.js";
import "./draft.js";
import "./focus-first.js";
