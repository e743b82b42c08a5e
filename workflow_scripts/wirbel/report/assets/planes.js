/* A flagged scan in three planes, from what its panel holds: drawn by NiiVue, which is loaded when it is asked for. */
"use strict";

/** Load a script of another maker once. */
function loadScript(path) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = resolve;
    script.onerror = () => reject(new Error(`${path} is not there`));
    script.src = path;
    document.head.append(script);
  });
}

/** The colours of labels as NiiVue takes them: label, red, green, blue, opacity. */
function labelColours(colours) {
  const labels = Object.keys(colours).map(Number).sort((a, b) => a - b);
  const part = (i) => labels.map((label) => parseInt(colours[label].slice(1 + 2 * i, 3 + 2 * i), 16));
  return { R: [0, ...part(0)], G: [0, ...part(1)], B: [0, ...part(2)], A: [0, ...labels.map(() => 150)], I: [0, ...labels], labels: ["", ...labels.map(String)] };
}

/** The scan and its structures from the panel; through a server, the map of the output folder itself. */
async function planeVolumes(panel) {
  if (!panel.volumes) {
    const url = new URL(`../${panel.map.split("/").map(encodeURIComponent).join("/")}`, location.href).href;
    return [await niivue.NVImage.loadFromUrl({ url, name: "structures.nii.gz" })];
  }
  const { image, structures } = panel.volumes;
  return [await niivue.NVImage.loadFromBase64({ base64: image, name: "scan.nii.gz" }),
    await niivue.NVImage.loadFromBase64({ base64: structures, name: "structures.nii.gz" })];
}

async function showPlanes(panel) {
  const canvas = byId("planes-canvas");
  byId("planes-box").hidden = false;
  byId("planes").querySelector("button").hidden = true;
  try {
    if (typeof niivue === "undefined") await loadScript("assets/niivue.umd.js");
    const viewer = new niivue.Niivue({ backColor: [0, 0, 0, 1], show3Dcrosshair: true, isColorbar: false, logLevel: "error", sagittalNoseLeft: true, isRadiologicalConvention: true });
    await viewer.attachToCanvas(canvas);
    viewer.setSliceType(viewer.sliceTypeMultiplanar);
    const volumes = await planeVolumes(panel);
    volumes.forEach((volume) => viewer.addVolume(volume));
    volumes.at(-1).setColormapLabel(labelColours(WIRBEL.data.study.colours.structures));
    if (volumes.length > 1) viewer.setOpacity(1, 0.5);
    viewer.updateGLVolume();
    canvas.dataset.ready = "true";
  } catch (error) {
    say(`The three planes cannot be shown: ${error.message}`);
  }
}
