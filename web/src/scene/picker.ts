/** What a ray from the eye hits: floor, walls, sculptures. */

import {
  InstancedMesh,
  type Intersection,
  Matrix3,
  Matrix4,
  Mesh,
  type Object3D,
  Raycaster,
  Vector2,
  Vector3,
} from "three";
import { quantizePosition, quantizeRotation, rotationOntoNormal } from "../motion/maths";
import type { Quat, Vec3 } from "../wire/generated";
import type { Stage } from "./stage";

export interface Hit {
  position: Vec3;
  rotation: Quat;
  target: string | null;
}

const FARTHEST_M = 90;

export class Picker {
  private readonly raycaster = new Raycaster();

  constructor(
    private readonly stage: Stage,
    private readonly element: HTMLElement,
  ) {
    this.raycaster.far = FARTHEST_M;
  }

  /** The surface under a point of the element, in CSS pixels. */
  under(x: number, y: number): Hit | null {
    const { clientWidth, clientHeight } = this.element;
    const at = new Vector2((x / clientWidth) * 2 - 1, 1 - (y / clientHeight) * 2);
    this.raycaster.setFromCamera(at, this.stage.camera);
    return this.cast();
  }

  /** What a ray from one place through another hits; the other place itself where there is nothing. */
  towards(from: Vec3, at: Vec3): Hit {
    const origin = new Vector3(...from);
    const direction = new Vector3(...at).sub(origin);
    const length = direction.length();
    this.raycaster.set(origin, direction.normalize());
    const hit = this.cast();
    if (hit && origin.distanceTo(new Vector3(...hit.position)) < length + 0.6)
      return { ...hit, position: at };
    return { position: at, rotation: [0, 0, 0, 1], target: hit?.target ?? null };
  }

  private cast(): Hit | null {
    const { floor, architecture, gallery, pickable } = this.stage;
    const solid = [floor.mesh, architecture.group, gallery.group, ...(pickable ? [pickable.group] : [])];
    const hits = this.raycaster.intersectObjects(solid, true);
    const hit = hits.find(({ object }) => object instanceof Mesh && object.visible);
    if (!hit?.face) return null;
    const normal = hit.face.normal.clone();
    const instance = pickable?.entityOf(hit) ?? null;
    if (instance !== null || !(hit.object instanceof InstancedMesh)) {
      normal.applyMatrix3(new Matrix3().getNormalMatrix(matrixOf(hit))).normalize();
    }
    if (normal.dot(this.raycaster.ray.direction) > 0) normal.negate();
    return {
      position: quantizePosition([hit.point.x, hit.point.y, hit.point.z]),
      rotation: quantizeRotation(rotationOntoNormal([normal.x, normal.y, normal.z])),
      target: instance ?? entityOf(hit.object),
    };
  }
}

function matrixOf({ object, instanceId }: Intersection): Matrix4 {
  if (!(object instanceof InstancedMesh) || instanceId === undefined) return object.matrixWorld;
  const matrix = new Matrix4();
  object.getMatrixAt(instanceId, matrix);
  return matrix.premultiply(object.matrixWorld);
}

function entityOf(object: Object3D): string | null {
  const entity: unknown = object.userData.entity;
  return typeof entity === "string" ? entity : null;
}
