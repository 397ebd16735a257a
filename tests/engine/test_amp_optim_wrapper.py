import pytest
import torch
from torch import nn

from mmdet_lite.engine import AmpOptimWrapper


def wrapper(model=None, **kwargs):
    model = model or nn.Linear(2, 1)
    return AmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1), **kwargs)


on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="the CPU's default is meant")


@on_cpu
def test_cpu_computes_in_bfloat16_without_loss_scaling():
    model = nn.Linear(2, 1)
    amp = wrapper(model)
    before = model.weight.detach().clone()
    with amp.optim_context(model):
        out = model(torch.ones(1, 2))
        assert out.dtype is torch.bfloat16
    amp.update_params(out.float().sum())
    assert torch.equal(model.weight, before - 0.1)  # gradient of each weight is 1
    assert not amp.loss_scaler.is_enabled()


def test_clipping_sees_true_gradients():
    model = nn.Linear(2, 1)
    amp = wrapper(model, clip_grad={"max_norm": 1e-3})
    before = model.weight.detach().clone()
    amp.update_params(1000 * model(torch.ones(1, 2)).sum())
    assert float((model.weight - before).norm().detach()) <= 0.1 * 1.01e-3


@pytest.mark.parametrize("dtype", ["float16", torch.float16])
def test_float16_scales_the_loss_and_keeps_its_scale_over_a_resume(dtype):
    amp = wrapper(dtype=dtype, loss_scale={"init_scale": 512.0})
    assert amp.loss_scaler.is_enabled() and amp.loss_scaler.get_scale() == 512.0
    other = wrapper(dtype=dtype, loss_scale=2)
    state = amp.state_dict()
    keys = set(state)
    other.load_state_dict(state)
    assert other.loss_scaler.get_scale() == 512.0 and set(state) == keys


def test_state_of_a_float32_or_bf16_run_can_be_resumed_in_float16():
    state = wrapper(dtype="bfloat16").state_dict()
    amp = wrapper(dtype="float16", loss_scale=4)
    amp.load_state_dict(state)
    assert amp.loss_scaler.get_scale() == 4.0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"dtype": "float32"}, ValueError, "'float16' or 'bfloat16', got 'float32'"),
        ({"loss_scale": "static"}, TypeError, "loss_scale must be 'dynamic'"),
        ({"use_fsdp": True}, ValueError, "use_fsdp=True"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        wrapper(**arguments)


@pytest.mark.gpu
def test_gpu_computes_in_float16():
    amp = wrapper(nn.Linear(2, 1).cuda())
    assert amp.cast_dtype is torch.float16 and amp.loss_scaler.is_enabled()
