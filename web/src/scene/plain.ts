/** Cheap twins of materials, for machines that draw in software: diffuse light only, the same colour objects. */

import { type Material, MeshLambertMaterial, MeshStandardMaterial, type Object3D } from "three";

const twins = new WeakMap<MeshStandardMaterial, MeshLambertMaterial>();
const originals = new WeakMap<Material, MeshStandardMaterial>();

function twinOf(material: MeshStandardMaterial): MeshLambertMaterial {
  const known = twins.get(material);
  const twin = known ?? new MeshLambertMaterial({ flatShading: material.flatShading, side: material.side });
  twin.color = material.color;
  twin.emissive = material.emissive;
  twin.emissiveIntensity = material.emissiveIntensity;
  twins.set(material, twin);
  originals.set(twin, material);
  return twin;
}

/** Gives everything below an object its plain or its full material. */
export function simplify(root: Object3D, plain: boolean): void {
  root.traverse((child) => {
    const drawn = child as Object3D & { material?: Material };
    const { material } = drawn;
    if (plain && material instanceof MeshStandardMaterial) drawn.material = twinOf(material);
    const original = material ? originals.get(material) : undefined;
    if (!plain && original) drawn.material = original;
  });
}
