from mmdet_lite.cli.cityscapes import main

if __name__ == "__main__":
    raise SystemExit(main())
