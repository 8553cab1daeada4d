/** Stands in for xmlbuilder2, which vtk.js imports for VTP meshes only and which cannot load in a browser. */
export const create = (): never => {
  throw new Error('VTP meshes are not supported.');
};

export default { create };
