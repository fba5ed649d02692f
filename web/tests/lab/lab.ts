/** `window.lab`: what tests/e2e/test_voice_sound.py calls. */

import * as live from "./live";
import * as scenes from "./scenes";

// Evaluated by a test it would count as a gesture already.
const gesture = location.hash === "#gesture" ? live.gesture() : null;

Object.assign(window, { lab: { ...scenes, ...live, gesture } });
