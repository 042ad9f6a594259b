import "./copy.js";
import "./draft.js";
