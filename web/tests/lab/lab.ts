/** `window.lab`: what tests/e2e/test_voice_sound.py calls. */

import * as live from "./live";
import * as scenes from "./scenes";

Object.assign(window, { lab: { ...scenes, ...live } });
