/** The three looks a room can have. Colours are sRGB; directions point from the plaza towards the light. */

import type { Environment, Vec3 } from "../wire/generated";

export interface Look {
  zenith: string;
  upper: string;
  lower: string;
  horizon: string;
  sun: string;
  sunDirection: Vec3;
  sunSize: number;
  sunGlow: number;
  light: string;
  lightIntensity: number;
  lightDirection: Vec3;
  skyLight: string;
  groundLight: string;
  fillIntensity: number;
  reflection: number;
  fog: string;
  fogNear: number;
  fogFar: number;
  stone: string;
  inlay: string;
  floor: string;
  wall: string;
  distant: string;
  water: string;
  foliage: string;
  lantern: string;
  lanternIntensity: number;
  stars: number;
  exposure: number;
}

export const LOOKS: Record<Environment, Look> = {
  dawn: {
    zenith: "#2c2d63",
    upper: "#7a629f",
    lower: "#ee9a86",
    horizon: "#ffd7a3",
    sun: "#fff0cf",
    sunDirection: [-0.34, 0.11, -0.93],
    sunSize: 0.0011,
    sunGlow: 0.75,
    light: "#ffcf9e",
    lightIntensity: 2.9,
    lightDirection: [-0.78, 0.62, 0.16],
    skyLight: "#b9a4e0",
    groundLight: "#e3a184",
    fillIntensity: 1.5,
    reflection: 0.62,
    fog: "#f6bd9a",
    fogNear: 34,
    fogFar: 210,
    stone: "#dcc0ac",
    inlay: "#c98b4b",
    floor: "#c9a796",
    wall: "#ecd6c4",
    distant: "#a981a3",
    water: "#3d4a7a",
    foliage: "#7f8f5a",
    lantern: "#ffd08a",
    lanternIntensity: 1.6,
    stars: 0.35,
    exposure: 1.0,
  },
  studio: {
    zenith: "#8fa3b8",
    upper: "#b9c6d1",
    lower: "#dde1e0",
    horizon: "#f3ece1",
    sun: "#fffaf0",
    sunDirection: [0.4, 0.62, -0.68],
    sunSize: 0.0006,
    sunGlow: 0.25,
    light: "#fff3e0",
    lightIntensity: 2.4,
    lightDirection: [0.45, 0.8, 0.4],
    skyLight: "#eaf1f7",
    groundLight: "#cfc4b4",
    fillIntensity: 1.5,
    reflection: 0.7,
    fog: "#ebe6dc",
    fogNear: 40,
    fogFar: 230,
    stone: "#dcd7cd",
    inlay: "#7f9c95",
    floor: "#cdc7bc",
    wall: "#efebe3",
    distant: "#b4bec4",
    water: "#6f919b",
    foliage: "#7d9a6b",
    lantern: "#fff1d0",
    lanternIntensity: 0.8,
    stars: 0,
    exposure: 0.95,
  },
  night: {
    zenith: "#070b21",
    upper: "#10204a",
    lower: "#234a6c",
    horizon: "#3f7a86",
    sun: "#dfeaff",
    sunDirection: [0.42, 0.42, -0.8],
    sunSize: 0.0014,
    sunGlow: 0.22,
    light: "#d6e2ff",
    lightIntensity: 1.7,
    lightDirection: [0.62, 0.7, 0.2],
    skyLight: "#93a3d2",
    groundLight: "#5b6788",
    fillIntensity: 1.35,
    reflection: 0.8,
    fog: "#22495d",
    fogNear: 26,
    fogFar: 190,
    stone: "#7c84a1",
    inlay: "#e9b66b",
    floor: "#5f6988",
    wall: "#a3abc6",
    distant: "#1c3552",
    water: "#274a78",
    foliage: "#3d6a62",
    lantern: "#ffc477",
    lanternIntensity: 4.2,
    stars: 1,
    exposure: 1.15,
  },
};
