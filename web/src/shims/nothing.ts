/** Stands in for parts of vtk.js that are imported for their effects and never used. */
export {};
