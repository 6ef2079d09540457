//! The tensors of a model, from its mapped safetensors files. It must not compute.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use serde::Deserialize;

use crate::error::ModelError;
use crate::json::read_json;
use crate::kernels::Norm;

/// The mapped files, and the prefix that their names have in this model.
pub struct Weights {
    files: MmapedSafetensors,
    prefix: &'static str,
}

impl Weights {
    /// Maps `model.safetensors`, or the shards that `model.safetensors.index.json` lists. `prefix` is what stands
    /// before the names if the network was saved as part of a larger one.
    pub fn open(directory: &Path, prefix: &'static str) -> Result<Self, ModelError> {
        let paths = paths(directory)?;
        // SAFETY: the files are only read. That nobody shortens one while it is mapped cannot be checked; the
        // documentation of the crate asks for it.
        let files = unsafe { MmapedSafetensors::multi(&paths) }.map_err(|error| ModelError::BadWeights {
            path: paths.first().cloned().unwrap_or_default(),
            reason: error.to_string(),
        })?;
        let probe = "embeddings.word_embeddings.weight";
        let bare = files.get(probe).is_ok() || files.get(&format!("{prefix}{probe}")).is_err();
        Ok(Self {
            files,
            prefix: if bare { "" } else { prefix },
        })
    }

    /// A tensor as 32-bit floats, copied out of the file.
    pub fn tensor(&self, name: &str, shape: impl Into<Shape>) -> Result<Tensor, ModelError> {
        let name = self.checked(name, &shape.into())?;
        Ok(self.files.load(&name, &Device::Cpu)?.to_dtype(DType::F32)?)
    }

    /// A layer norm. Old files call its weight and bias gamma and beta.
    pub fn norm(&self, name: &str, width: usize, epsilon: f32) -> Result<Norm, ModelError> {
        let (scale, shift) = match self.files.get(&format!("{}{name}.gamma", self.prefix)) {
            Ok(_) => ("gamma", "beta"),
            Err(_) => ("weight", "bias"),
        };
        let part = |part| Ok::<_, ModelError>(self.tensor(&format!("{name}.{part}"), width)?.to_vec1()?);
        Ok(Norm {
            scale: part(scale)?,
            shift: part(shift)?,
            epsilon,
        })
    }

    /// A table of which single rows are read from the file, whenever they are needed.
    pub fn table(&self, name: &str, rows: usize, width: usize) -> Result<Table<'_>, ModelError> {
        let name = self.checked(name, &(rows, width).into())?;
        let view = self.files.get(&name)?;
        Ok(Table {
            dtype: DType::try_from(view.dtype())?,
            bytes: view.data(),
            width,
        })
    }

    /// The full name of a tensor that has the shape and a type that is read here.
    fn checked(&self, name: &str, shape: &Shape) -> Result<String, ModelError> {
        let name = format!("{}{name}", self.prefix);
        let Ok(view) = self.files.get(&name) else {
            return Err(ModelError::MissingTensor { tensor: name });
        };
        let readable = matches!(
            DType::try_from(view.dtype()),
            Ok(DType::F32 | DType::F16 | DType::BF16)
        );
        if readable && view.shape() == shape.dims() {
            return Ok(name);
        }
        Err(ModelError::BadTensor {
            found: format!("{:?} {:?}", view.dtype(), view.shape()),
            expected: format!("F32, F16 or BF16 {:?}", shape.dims()),
            tensor: name,
        })
    }
}

/// A table in the mapped file.
pub struct Table<'a> {
    dtype: DType,
    bytes: &'a [u8],
    width: usize,
}

impl Table<'_> {
    /// Appends one row. A row that the table does not have adds nothing.
    pub fn append(&self, row: usize, to: &mut Vec<f32>) {
        let size = self.width * self.dtype.size_in_bytes();
        let Some(bytes) = self.bytes.get(row * size..(row + 1) * size) else {
            return;
        };
        let half = |pair: &[u8]| [pair[0], pair[1]];
        match self.dtype {
            DType::F16 => to.extend(
                bytes
                    .chunks_exact(2)
                    .map(|pair| half::f16::from_le_bytes(half(pair)).to_f32()),
            ),
            DType::BF16 => to.extend(
                bytes
                    .chunks_exact(2)
                    .map(|pair| half::bf16::from_le_bytes(half(pair)).to_f32()),
            ),
            _ => to.extend(
                bytes
                    .chunks_exact(4)
                    .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])),
            ),
        }
    }
}

#[derive(Deserialize)]
struct Index {
    weight_map: std::collections::BTreeMap<String, String>,
}

fn paths(directory: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let whole = directory.join("model.safetensors");
    if whole.exists() {
        return Ok(vec![whole]);
    }
    let index = directory.join("model.safetensors.index.json");
    if !index.exists() {
        return Err(ModelError::MissingFile {
            path: whole,
            advice: if directory.join("pytorch_model.bin").exists() {
                "pytorch_model.bin is not read; open the model with transformers' AutoModel.from_pretrained(directory) \
                 once and save it with save_pretrained(directory)"
            } else {
                "fetch the whole directory of the model"
            },
        });
    }
    let Index { weight_map } = read_json(&index)?;
    let names: BTreeSet<String> = weight_map.into_values().collect();
    let paths: Vec<PathBuf> = names.into_iter().map(|name| directory.join(name)).collect();
    match paths.iter().find(|path| !path.exists()) {
        None => Ok(paths),
        Some(missing) => Err(ModelError::MissingFile {
            path: missing.clone(),
            advice: "the index names it; fetch all of the model's parts",
        }),
    }
}
